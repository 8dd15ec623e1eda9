import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { createRandomId } from '../../text/random-id.ts'
import { ApiError, buildErrorBody } from '../errors.ts'
import { defaultHeaders } from './default-headers.ts'

export type Exchange = { request: IncomingMessage; response: ServerResponse }

/** The latest request of each connection. */
export const exchanges = new WeakMap<Socket, Exchange>()

/** Replies to malformed HTTP, for which there is no route: writes the usual error body to the socket. */
export function rejectConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { request, response } = exchanges.get(socket) ?? {}
  if (request?.complete === true && response?.writableFinished === false) {
    // The error is in what follows a complete request, whose reply must not be mixed up with it.
    response.once('finish', () => socket.destroySoon())
    return
  }
  if (request?.complete === false && response?.headersSent === true) {
    socket.destroy()
    return
  }
  const apiError = toConnectionError(error.code)
  const body = buildErrorBody(apiError)
  const headers = {
    ...defaultHeaders,
    'X-Request-ID': createRandomId(),
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${apiError.status} ${STATUS_CODES[apiError.status]}\r\n${lines.join('')}\r\n${body}`)
}

function toConnectionError(code: string | undefined): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ApiError('timeout', 'The request took too long to arrive')
  if (code !== 'HPE_HEADER_OVERFLOW') return new ApiError('invalid_request', 'The request is not valid HTTP')
  return new ApiError('payload_too_large', 'The headers are too large', { status: 431 })
}
