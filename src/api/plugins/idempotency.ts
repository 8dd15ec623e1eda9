import { createHash, type Hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { isUploadedFile } from '../../catalogue/media-values/uploaded-file.ts'
import type { CreatedJob, Engine } from '../../jobs/engine.ts'
import type { IdempotencyKey } from '../../jobs/job.ts'
import type { UploadBuffer } from '../../media/inputs/upload-buffer.ts'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `findReplay` where the request has an `Idempotency-Key`. */
    idempotency: IdempotencyKey | undefined
    /** The response repeats that of an earlier request. */
    isReplayed: boolean
  }
  interface FastifyContextConfig {
    /** Name of the operation, the same under all paths of the route: part of the fingerprint of a request. */
    operation?: string
  }
}

const keyPattern = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/

/**
 * Call before any side effect of a submit. Returns the job of the first request with this `Idempotency-Key`. `undefined`: there was none, and
 * `request.idempotency` is to be stored with the job. Throws for a key that came with another body, or is invalid.
 */
export async function findReplay(
  {
    engine,
    uploadBuffer,
  }: { engine: Pick<Engine, 'findReplay'>; uploadBuffer: Pick<UploadBuffer, 'fingerprintOf'> },
  request: FastifyRequest,
  body: unknown = request.body,
): Promise<CreatedJob | undefined> {
  const key = readIdempotencyKey(request)
  if (key === undefined) return undefined
  const { url = '', config } = request.routeOptions
  const hash = createHash('sha256').update(`${config.operation ?? url}\n`)
  hashValue(hash, body, uploadBuffer)
  request.idempotency = { key: sha256(key), fingerprint: hash.digest('hex') }
  return recordCreatedJob(request, await engine.findReplay(request.owner, request.idempotency))
}

/** The `Idempotency-Key` of a request. Throws for an invalid one. */
export function readIdempotencyKey({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || (typeof key === 'string' && keyPattern.test(key))) return key
  const message = '`Idempotency-Key` must be 1 to 255 printable ASCII characters'
  throw new ApiError('invalid_parameter_value', message, { param: 'Idempotency-Key' })
}

/** Records on the request which job it created or replays: of two concurrent requests, one gets the job of the other. */
export function recordCreatedJob<Result extends CreatedJob | undefined>(
  request: FastifyRequest,
  created: Result,
): Result {
  if (created === undefined) return created
  if (created.replay !== undefined) request.isReplayed = true
  request.jobId = created.id
  request.modelId = created.model
  return created
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The order of an object's keys does not matter; an uploaded file is hashed by its content. */
function hashValue(hash: Hash, value: unknown, uploadBuffer: Pick<UploadBuffer, 'fingerprintOf'>): void {
  if (Array.isArray(value)) {
    hash.update('[')
    for (const item of value) hashValue(hash, item, uploadBuffer)
    hash.update(']')
  } else if (isUploadedFile(value)) {
    hash.update(`data:${value.type.replace(/;.*/s, '')}#${uploadBuffer.fingerprintOf(value)}`)
  } else if (typeof value === 'object' && value !== null) {
    hash.update('{')
    for (const [name, member] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${JSON.stringify(name)}:`)
      hashValue(hash, member, uploadBuffer)
    }
    hash.update('}')
  } else if (typeof value === 'string') hash.update(`${value.length}"${value}"`)
  else hash.update(`${String(value)},`)
}
