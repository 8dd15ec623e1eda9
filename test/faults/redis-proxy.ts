import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import type { Cleanup } from '../support/setup.ts'

/** Where a proxy leads: a Unix socket, or a port on loopback. */
type Target = { path: string } | { port: number }

/** Passes each piece on `ms` later, in order. */
function createDelay(ms: number): Transform {
  return new Transform({
    transform(piece: Buffer, _, done) {
      setTimeout(() => this.push(piece), ms)
      done()
    },
    flush: (done) => void setTimeout(done, ms),
  })
}

/** A TCP proxy on loopback whose target can be replaced, and whose connections can be cut. What the target sends arrives `delayMs` late. */
export async function startProxy(cleanup: Cleanup, first: Target, { delayMs = 0 } = {}) {
  let target: Target | undefined = first
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (target === undefined) {
      client.destroy()
      return
    }
    const upstream = connect({ host: '127.0.0.1', ...target })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      if (delayMs > 0 && from === upstream) from.pipe(createDelay(delayMs)).pipe(to)
      else from.pipe(to)
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')

  /** Closes every connection and accepts no new one until `leadTo`. */
  function disconnect(): void {
    target = undefined
    for (const socket of sockets) socket.destroy()
  }

  cleanup.add(() => {
    disconnect()
    server.close()
  })
  return {
    port: address.port,
    disconnect,
    /** `cut: false`: connections that stand keep their old target. */
    leadTo(next: Target, { cut: isCut = true } = {}): void {
      if (isCut) disconnect()
      target = next
    },
  }
}
