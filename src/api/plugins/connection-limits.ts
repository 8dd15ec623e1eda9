import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { RequestLimits } from '../../config/request-limits.ts'
import { discardBody } from '../body/body-arrival.ts'
import { exchanges, rejectConnection } from './connection-errors.ts'

const unreadCheckMs = 250

type Options = Pick<RequestLimits, 'connections' | 'stallMs'> & {
  /** How much of an unread body is discarded, so that its sender gets the reply, before the connection is closed. */
  unreadBytes: number
}

/**
 * Limits the number of connections, and closes those that make no progress: a request that does not arrive, a reply that nobody reads. A
 * connection whose request is being processed stays open.
 */
export function limitConnections(app: FastifyInstance, { connections, stallMs, unreadBytes }: Options): void {
  const { server } = app

  server.maxConnections = connections
  server.headersTimeout = stallMs
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    exchanges.set(request.socket, { request, response })
  })
  // Unknown expectations are ignored; Node would reply 417 without a body.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response)
  })
  // Node restarts this timeout with every byte in either direction, buffered writes included.
  server.setTimeout(stallMs, (socket: Socket) => {
    const exchange = exchanges.get(socket)
    if (exchange === undefined) return rejectConnection(requestTimeoutError(), socket)
    const { request, response } = exchange
    if (response.writableFinished) return void socket.destroy()
    if (!request.complete && !response.headersSent) {
      rejectConnection(requestTimeoutError(), socket)
      socket.destroySoon()
    } else if (!request.complete || socket.writableLength > 0) socket.destroy()
    else socket.setTimeout(stallMs)
  })

  app.addHook('onSend', ({ raw }, _reply, payload, done) => {
    if (hasBody(raw) && raw.readableFlowing === null) discardBody(raw)
    done(null, payload)
  })
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    if (!raw.complete) closeAfterRest(raw)
    done()
  })

  /** Called when the reply was sent before the whole request arrived. */
  function closeAfterRest(request: IncomingMessage): void {
    const { socket } = request
    const startBytes = socket.bytesRead
    const deadline = Date.now() + stallMs
    const timer = setInterval(() => {
      if (request.complete || socket.destroyed) clearInterval(timer)
      else if (Date.now() > deadline || socket.bytesRead - startBytes > unreadBytes) socket.destroy()
    }, unreadCheckMs)
    timer.unref()
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function requestTimeoutError(): Error {
  return Object.assign(new Error('the request did not arrive in time'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
}
