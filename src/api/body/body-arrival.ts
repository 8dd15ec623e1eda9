import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { RequestLimits } from '../../config/request-limits.ts'
import type { UploadBuffer } from '../../media/inputs/upload-buffer.ts'
import { ApiError } from '../errors.ts'
import type { BodyBudget, Reservation } from './body-budget.ts'

/** What the readers of all body formats need. */
export type BodyDeps = {
  uploadBuffer: UploadBuffer
  limits: RequestLimits
  bodyLimitBytes: number
  budget: BodyBudget
}

declare module 'fastify' {
  interface FastifyInstance {
    bodyDeps: BodyDeps
  }
}

/** Memory of the buffers of a body that is being read. */
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

/** Frees the memory of a chunk that has been read: otherwise about 100 MB of them wait for the garbage collector. */
export function freeMemory({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0)
}

/** Discards the rest of a body, so that its sender gets the reply. */
export function discardBody(payload: Readable): void {
  payload.on('data', freeMemory).resume()
}

/** Callers who have not been authenticated may send small bodies only. */
export function bodyLimitOf(
  { owner }: FastifyRequest,
  { limits, bodyLimitBytes }: Pick<BodyDeps, 'limits' | 'bodyLimitBytes'>,
): number {
  return owner === '' ? Math.min(limits.unauthenticatedBytes, bodyLimitBytes) : bodyLimitBytes
}

/** The error for a compressed body. Names of encodings are case-insensitive. */
export function compressionError({ headers }: FastifyRequest): ApiError | undefined {
  const encoding = headers['content-encoding'] ?? ''
  if (/^(identity)?$/i.test(encoding)) return undefined
  return new ApiError('unsupported_media_type', `The body must not be compressed; got ${encoding}`)
}

export function bodyTooLargeError(limitBytes: number): ApiError {
  return new ApiError('payload_too_large', `The body is larger than ${limitBytes} bytes`)
}

export function bodyTooSlowError(): ApiError {
  return new ApiError('timeout', 'The body took too long to arrive')
}

export function incompleteBodyError(cause: unknown): ApiError {
  return new ApiError('invalid_request', 'The body is incomplete', { cause })
}
