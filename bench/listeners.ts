import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { createKeys } from '../src/redis/keys.ts'
import { createCleanup, startRedis, submit, temporaryFolder } from '../test/support/setup.ts'

/** How many clients listen for events at once, on one gateway process, and how many jobs they share. */
const listeners = Number(process.argv[2] ?? 5000)
const jobs = 500

const cleanup = createCleanup()
const { url, redis } = await startRedis(cleanup)
const env = { REDIS_URL: url, DATA_DIR: await temporaryFolder(cleanup), SUBMIT_RPM: '1000000' }
const { child, address } = await startProcess({ ...env, SANDBOX: 'on', SANDBOX_RENDER_SECONDS: '600' })
cleanup.add(async () => {
  child.kill('SIGTERM')
  await once(child, 'exit')
})

const ids: string[] = []
for (let index = 0; index < jobs; index++) {
  const { body } = await submit(address, { model: 'veo3-video', prompt: 'a boat', duration: '8' })
  ids.push(body.runId)
}
await new Promise((resolve) => setTimeout(resolve, 5000))

const bytesBefore = await readMemoryBytes(child)
const { port } = new URL(address)
const sockets: Socket[] = []
let events = 0
const connectStartedAt = Date.now()
for (let index = 0; index < listeners; index++) {
  sockets.push(await openListener(ids[index % ids.length] ?? ''))
}
await waitUntil(() => events >= listeners)
const connectedMs = Date.now() - connectStartedAt
await new Promise((resolve) => setTimeout(resolve, 3000))
const bytesAfter = await readMemoryBytes(child)
const subscriptions = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).trim()

const eventsBefore = events
const publishStartedAt = Date.now()
const keys = createKeys('reelgate:')
for (const id of ids) await redis.publish(keys.channel(id), await buildNextMessage(id))
await waitUntil(() => events >= eventsBefore + listeners)
const deliveredMs = Date.now() - publishStartedAt

printFigure('listeners', listeners)
printFigure('jobs', jobs)
printFigure('all connected, first event received (ms)', connectedMs)
printFigure('one change of each job received by all (ms)', deliveredMs)
printFigure('memory of the gateway before (MB)', (bytesBefore / 1e6).toFixed(1))
printFigure('memory of the gateway with all of them (MB)', (bytesAfter / 1e6).toFixed(1))
printFigure('memory per listener (kB)', ((bytesAfter - bytesBefore) / listeners / 1000).toFixed(1))
printFigure('Redis connections that subscribe', subscriptions.split('\n').length)
printFigure('channels on it', /\bsub=(\d+)/.exec(subscriptions)?.[1] ?? '?')

for (const socket of sockets) socket.destroy()
await cleanup.run()

function printFigure(label: string, value: string | number): void {
  process.stdout.write(`${label.padEnd(48)} ${value}\n`)
}

async function openListener(id: string): Promise<Socket> {
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`GET /api/jobs/${id}/events HTTP/1.1\r\nHost: bench\r\n\r\n`)
  socket.on('data', (chunk) => {
    events += chunk.toString('latin1').split('\ndata: ').length - 1
  })
  await once(socket, 'connect')
  return socket
}

/** What a change of the job would publish; nothing is written. */
async function buildNextMessage(id: string): Promise<string> {
  const [view, version] = await redis.hmget(keys.job(id), 'view', 'version')
  return `${Number(version) + 1} ${view}`
}

async function readMemoryBytes({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function startProcess(settings: Record<string, string>) {
  const gatewayProcess = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'error', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: gatewayProcess.stdout })) {
    const listeningOn = /^Listening on (\S+)/.exec(line)?.[1]
    if (listeningOn !== undefined) return { child: gatewayProcess, address: listeningOn }
  }
  throw new Error('the gateway did not start')
}
