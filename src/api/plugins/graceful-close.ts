import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted when the server begins to close; handlers that hold a request open then reply. */
    closing: AbortSignal
  }
}

/** Closes each connection after its current reply while the server closes, instead of waiting for Node's keep-alive timeout. */
export function registerGracefulClose(app: FastifyInstance): void {
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  app.decorate('closing', closing.signal)
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  app.addHook('preClose', async () => {
    closing.abort()
    // Clients open connections before they need them. Node does not count these as idle and would wait a minute.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  })
  // The headers of a long download were sent before the server began to close.
  app.addHook('onResponse', (_request, _reply, done) => {
    if (closing.signal.aborted) app.server.closeIdleConnections()
    done()
  })
}
