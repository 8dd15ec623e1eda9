import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { RequestLimits } from '../../config/request-limits.ts'
import { ApiError } from '../errors.ts'
import type { Reservation } from './body-budget.ts'

/** What a body being read holds in buffers. */
const bufferBytes = 128 * 1024

type Options = {
  request: FastifyRequest
  reservation: Reservation
  limits: Pick<RequestLimits, 'stallMs' | 'bytesPerSecond'>
  limitBytes: number
}

/** Counts the bytes of a body as they arrive; the returned function throws when a limit is exceeded or the sender is too slow. */
export function createArrivalCounter({ request, reservation, limits, limitBytes }: Options) {
  const startedAt = Date.now()
  const declaredBytes = Number(request.headers['content-length'] ?? Number.NaN)
  const isDeclared = Number.isFinite(declaredBytes)
  if (declaredBytes > limitBytes) throw bodyTooLargeError(limitBytes)
  reservation.addMemory(bufferBytes)
  if (isDeclared) reservation.addBody(declaredBytes)
  let arrivedBytes = 0

  return (bytes: number): void => {
    arrivedBytes += bytes
    if (arrivedBytes > limitBytes) throw bodyTooLargeError(limitBytes)
    if (!isDeclared) reservation.addBody(bytes)
    const elapsedMs = Date.now() - startedAt
    if (elapsedMs > limits.stallMs && (arrivedBytes * 1000) / elapsedMs < limits.bytesPerSecond)
      throw bodyTooSlowError()
  }
}

/** Frees the memory of a piece that has been read. Pieces would wait for the garbage collector, a hundred megabytes of them. */
export function freeMemory({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0)
}

/** Lets the rest of a body through unread, so that its sender gets the reply. */
export function discardBody(payload: Readable): void {
  payload.on('data', freeMemory).resume()
}

export function bodyTooLargeError(limitBytes: number): ApiError {
  return new ApiError('payload_too_large', `The body is larger than ${limitBytes} bytes`)
}

export function bodyTooSlowError(): ApiError {
  return new ApiError('timeout', 'The body took too long to arrive')
}

export function incompleteBodyError(cause: unknown): ApiError {
  return new ApiError('invalid_request', 'The body did not arrive whole', { cause })
}
