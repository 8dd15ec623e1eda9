import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted when the server begins to close: whoever keeps a request waiting answers it then. */
    closing: AbortSignal
  }
}

/** While the server closes, each connection ends with the reply it is giving (`closing` is asked where replies get their headers). Node alone would wait out its keep-alive time. */
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
    // Clients connect ahead of their next request; for Node that is no idle connection, so it would wait a minute for it.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  })
  // A long download has sent its headers before the server began to close.
  app.addHook('onResponse', (_request, _reply, done) => {
    if (closing.signal.aborted) app.server.closeIdleConnections()
    done()
  })
}
