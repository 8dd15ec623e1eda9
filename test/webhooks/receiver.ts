import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Cleanup } from '../support/setup.ts'

export type Received = { path: string; at: number; headers: Record<string, string>; body: string }

/** The replies of a path, attempt by attempt; the last one repeats. `hang`: no reply. Other paths return 204. */
type RepliesByPath = Record<string, readonly (number | 'hang')[]>

/** A real HTTP server that stores the requests it receives. */
export async function startReceiver(cleanup: Cleanup, repliesByPath: RepliesByPath = {}, port = 0) {
  const received: Received[] = []
  const server = createServer(async (request, reply) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const path = request.url ?? ''
    const headers = request.headers as Record<string, string>
    received.push({ path, at: Date.now(), headers, body: Buffer.concat(pieces).toString() })
    const statuses = repliesByPath[path] ?? [204]
    const status = statuses[Math.min(of(path).length, statuses.length) - 1] ?? 204
    if (status !== 'hang') reply.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
  }
  cleanup.add(close)
  const of = (path: string) => received.filter((one) => one.path === path)
  const at = server.address()
  const own = typeof at === 'object' && at !== null ? at.port : 0
  return { url: `http://127.0.0.1:${own}`, port: own, received, of, close }
}
