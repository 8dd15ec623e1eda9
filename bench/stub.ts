import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMp4 } from './files.ts'

/**
 * One upstream for everybody: OpenAI's Videos API below `/v1`, FAL's queue below `/fal-ai`, files below `/files`. Settings come from
 * the environment and may be changed by PUT /stub; GET /stub tells what it saw.
 */
const settings = {
  /** How long the answer to a submit takes. */
  delayMs: Number(process.env.DELAY_MS ?? 0),
  renderMs: Number(process.env.RENDER_MS ?? 0),
  /** Renders take up to this share longer or shorter, by a seeded generator. */
  spread: Number(process.env.RENDER_SPREAD ?? 0),
  /** Every n-th submit and poll answers 500; 0: none. */
  faultEvery: Number(process.env.FAULT_EVERY ?? 0),
  fileBytes: Number(process.env.FILE_BYTES ?? 256 * 1024),
  /** How long every answer to a gateway takes on top. */
  roundTripMs: Number(process.env.ROUND_TRIP_MS ?? 0),
}

/** `polls`: when it was polled. `hook`: the callback URL for FAL. */
type Task = { prompt: string; doneAt: number; polls: number[]; callbackUrl: string | null }

const tasks = new Map<string, Task>()
const counters = { submits: 0, polls: 0, files: 0, bytesIn: 0, requests: 0 }
const files = new Map<number, Buffer>()
const nextRandom = createRandom(Number(process.env.SEED ?? 1))
let origin = ''

const server = createServer((request, response) => {
  respond(request, response).catch(() => response.destroy())
})

async function respond(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const { method = 'GET', url = '/' } = request
  const path = url.split('?')[0] ?? url
  if (path === '/stub') return configure(request, response)
  if (path.startsWith('/files/')) return sendFile(response, Number(path.split('/')[2]))
  counters.requests += 1
  if (settings.roundTripMs > 0) await sleep(settings.roundTripMs)
  if (path === '/storage/upload/initiate') {
    await discardBody(request)
    const uploadUrl = `${origin}/storage/${randomUUID()}`
    return sendJson(response, 200, { upload_url: uploadUrl, file_url: uploadUrl })
  }
  if (method === 'PUT') {
    await discardBody(request)
    return sendJson(response, 200, {})
  }
  const isFaulty = settings.faultEvery > 0 && counters.requests % settings.faultEvery === 0
  if (method === 'POST') {
    const task = await readTask(request)
    if (task.callbackUrl !== null) setTimeout(() => sendCallback(task), task.doneAt - Date.now()).unref()
    if (settings.delayMs > 0) await sleep(settings.delayMs)
    if (isFaulty) return sendJson(response, 500, { detail: 'out of order' })
    const id = randomUUID()
    tasks.set(id, task)
    counters.submits += 1
    return sendJson(
      response,
      200,
      path.startsWith('/v1/') ? createOpenAiVideo(id, task) : createFalTask(path, id),
    )
  }
  const id = /[0-9a-f-]{36}/.exec(path)?.[0] ?? ''
  const task = tasks.get(id)
  if (task === undefined) return sendJson(response, 404, { detail: 'unknown' })
  if (path.endsWith('/content')) return sendFile(response, settings.fileBytes)
  if (isFaulty) return sendJson(response, 500, { detail: 'out of order' })
  if (path.startsWith('/v1/')) return sendJson(response, 200, createOpenAiVideo(id, task))
  if (!path.endsWith('/status')) {
    return sendJson(response, 200, { video: { url: `${origin}/files/${settings.fileBytes}/${id}.mp4` } })
  }
  counters.polls += 1
  task.polls.push(Date.now())
  return sendJson(response, 200, { status: isDone(task) ? 'COMPLETED' : 'IN_PROGRESS', request_id: id })
}

async function configure(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'PUT') {
    Object.assign(settings, JSON.parse((await readBody(request)).toString()))
    tasks.clear()
    for (const name of Object.keys(counters)) counters[name as keyof typeof counters] = 0
  }
  const taskList = /tasks/.test(request.url ?? '')
    ? Object.fromEntries([...tasks.values()].map(describeTask))
    : undefined
  sendJson(response, 200, { settings, seen: counters, ...(taskList !== undefined && { tasks: taskList }) })
}

function describeTask({ prompt, doneAt, polls }: Task): [string, { doneAt: number; polls: number[] }] {
  return [prompt, { doneAt, polls }]
}

async function readTask(request: IncomingMessage): Promise<Task> {
  const body = await readBody(request)
  counters.bytesIn += body.length
  const prompt = /"prompt":\s*"([^"]*)"/.exec(body.toString('latin1', 0, 4096))?.[1] ?? ''
  const renderMs = settings.renderMs * (1 + settings.spread * (nextRandom() * 2 - 1))
  const callbackUrl = new URL(request.url ?? '/', origin).searchParams.get('fal_webhook')
  return { prompt, doneAt: Date.now() + settings.delayMs + renderMs, polls: [], callbackUrl }
}

function sendCallback({ callbackUrl }: Task): void {
  const headers = { 'content-type': 'application/json' }
  fetch(callbackUrl ?? '', { method: 'POST', headers, body: JSON.stringify({ status: 'OK' }) }).then(
    (response) => response.arrayBuffer(),
    () => undefined,
  )
}

function isDone({ doneAt }: Task): boolean {
  return Date.now() >= doneAt
}

function createOpenAiVideo(id: string, task: Task) {
  const isFinished = isDone(task)
  return {
    id: `video_${id}`,
    object: 'video',
    model: 'sora-2',
    status: isFinished ? 'completed' : 'in_progress',
    progress: isFinished ? 100 : 0,
    created_at: 1_760_000_000,
    seconds: '4',
    size: '1280x720',
    prompt: task.prompt,
    error: null,
  }
}

function createFalTask(path: string, id: string) {
  const app = path.split('/').slice(1, 3).join('/')
  const url = `${origin}/${app}/requests/${id}`
  return {
    request_id: id,
    status: 'IN_QUEUE',
    status_url: `${url}/status`,
    response_url: url,
    cancel_url: `${url}/cancel`,
  }
}

function sendFile(response: ServerResponse, bytes: number): void {
  counters.files += 1
  const file = files.get(bytes) ?? createMp4(bytes)
  files.set(bytes, file)
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': file.length }).end(file)
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function discardBody(request: IncomingMessage): Promise<void> {
  for await (const chunk of request) counters.bytesIn += chunk.length
}

/** Mulberry32: the same renders in every run. */
function createRandom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixedBits = Math.imul(state ^ (state >>> 15), 1 | state)
    mixedBits = (mixedBits + Math.imul(mixedBits ^ (mixedBits >>> 7), 61 | mixedBits)) ^ mixedBits
    return ((mixedBits ^ (mixedBits >>> 14)) >>> 0) / 4_294_967_296
  }
}

server.keepAliveTimeout = 60_000
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const address = server.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  process.stdout.write(`answers on ${origin}\n`)
})
