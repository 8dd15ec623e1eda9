import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { mp4Of } from './files.ts'

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

/** `polls`: when it was asked for. `hook`: where FAL is to call when it is done. */
type Task = { prompt: string; doneAt: number; polls: number[]; hook: string | null }

const tasks = new Map<string, Task>()
const seen = { submits: 0, polls: 0, files: 0, bytesIn: 0, asked: 0 }
const files = new Map<number, Buffer>()
const random = seeded(Number(process.env.SEED ?? 1))
let origin = ''

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const { method = 'GET', url = '/' } = request
  const path = url.split('?')[0] ?? url
  if (path === '/stub') return control(request, response)
  if (path.startsWith('/files/')) return sendFile(response, Number(path.split('/')[2]))
  seen.asked += 1
  if (settings.roundTripMs > 0) await sleep(settings.roundTripMs)
  if (path === '/storage/upload/initiate') {
    await drain(request)
    const at = `${origin}/storage/${randomUUID()}`
    return json(response, 200, { upload_url: at, file_url: at })
  }
  if (method === 'PUT') {
    await drain(request)
    return json(response, 200, {})
  }
  const broken = settings.faultEvery > 0 && seen.asked % settings.faultEvery === 0
  if (method === 'POST') {
    const task = await submitted(request)
    if (task.hook !== null) setTimeout(() => callHook(task), task.doneAt - Date.now()).unref()
    if (settings.delayMs > 0) await sleep(settings.delayMs)
    if (broken) return json(response, 500, { detail: 'out of order' })
    const id = randomUUID()
    tasks.set(id, task)
    seen.submits += 1
    return json(response, 200, path.startsWith('/v1/') ? openAi(id, task) : falTask(path, id))
  }
  const id = /[0-9a-f-]{36}/.exec(path)?.[0] ?? ''
  const task = tasks.get(id)
  if (task === undefined) return json(response, 404, { detail: 'unknown' })
  if (path.endsWith('/content')) return sendFile(response, settings.fileBytes)
  if (broken) return json(response, 500, { detail: 'out of order' })
  if (path.startsWith('/v1/')) return json(response, 200, openAi(id, task))
  if (!path.endsWith('/status')) {
    return json(response, 200, { video: { url: `${origin}/files/${settings.fileBytes}/${id}.mp4` } })
  }
  seen.polls += 1
  task.polls.push(Date.now())
  return json(response, 200, { status: isDone(task) ? 'COMPLETED' : 'IN_PROGRESS', request_id: id })
}

async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'PUT') {
    Object.assign(settings, JSON.parse((await read(request)).toString()))
    tasks.clear()
    for (const name of Object.keys(seen)) seen[name as keyof typeof seen] = 0
  }
  const all = /tasks/.test(request.url ?? '') ? Object.fromEntries([...tasks.values()].map(told)) : undefined
  json(response, 200, { settings, seen, ...(all !== undefined && { tasks: all }) })
}

function told({ prompt, doneAt, polls }: Task): [string, { doneAt: number; polls: number[] }] {
  return [prompt, { doneAt, polls }]
}

async function submitted(request: IncomingMessage): Promise<Task> {
  const body = await read(request)
  seen.bytesIn += body.length
  const prompt = /"prompt":\s*"([^"]*)"/.exec(body.toString('latin1', 0, 4096))?.[1] ?? ''
  const takesMs = settings.renderMs * (1 + settings.spread * (random() * 2 - 1))
  const hook = new URL(request.url ?? '/', origin).searchParams.get('fal_webhook')
  return { prompt, doneAt: Date.now() + settings.delayMs + takesMs, polls: [], hook }
}

function callHook({ hook }: Task): void {
  const headers = { 'content-type': 'application/json' }
  fetch(hook ?? '', { method: 'POST', headers, body: JSON.stringify({ status: 'OK' }) }).then(
    (answer) => answer.arrayBuffer(),
    () => undefined,
  )
}

function isDone({ doneAt }: Task): boolean {
  return Date.now() >= doneAt
}

function openAi(id: string, task: Task) {
  const done = isDone(task)
  return {
    id: `video_${id}`,
    object: 'video',
    model: 'sora-2',
    status: done ? 'completed' : 'in_progress',
    progress: done ? 100 : 0,
    created_at: 1_760_000_000,
    seconds: '4',
    size: '1280x720',
    prompt: task.prompt,
    error: null,
  }
}

function falTask(path: string, id: string) {
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
  seen.files += 1
  const file = files.get(bytes) ?? mp4Of(bytes)
  files.set(bytes, file)
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': file.length }).end(file)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text)
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function drain(request: IncomingMessage): Promise<void> {
  for await (const piece of request) seen.bytesIn += piece.length
}

/** Mulberry32: the same renders in every run. */
function seeded(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

server.keepAliveTimeout = 60_000
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const address = server.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  process.stdout.write(`answers on ${origin}\n`)
})
