import { createHash, type Hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Accepted, Engine } from '../engine/engine.ts'
import type { Once } from '../engine/job.ts'
import type { Spool } from '../media/spool.ts'
import { isUploadedFile } from '../media/uploaded-file.ts'
import { ApiError } from './errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What makes this submit one with its repetitions; set by `firstAnswer`. */
    once: Once | undefined
    /** It was answered what an earlier one was answered. */
    replayed: boolean
  }
  interface FastifyContextConfig {
    /** What the route does, whatever path it is reached by: the same body means something else elsewhere. */
    operation?: string
  }
}

const keyShape = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/

/**
 * To be asked before a submit does anything: what the first request with this `Idempotency-Key` was answered. `undefined`: there
 * was none, and `request.once` belongs into the order. Throws for a key that came with another body, or is none.
 */
export async function firstAnswer(
  { engine, spool }: { engine: Pick<Engine, 'first'>; spool: Pick<Spool, 'peek'> },
  request: FastifyRequest,
  body: unknown = request.body,
): Promise<Accepted | undefined> {
  const key = readIdempotencyKey(request)
  if (key === undefined) return undefined
  const { url = '', config } = request.routeOptions
  const hash = createHash('sha256').update(`${config.operation ?? url}\n`)
  write(hash, body, spool)
  request.once = { key: digest(key), fingerprint: hash.digest('hex') }
  return noteReplay(request, await engine.first(request.owner, request.once))
}

/** The `Idempotency-Key` of a request; throws where it cannot be one. */
export function readIdempotencyKey({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || (typeof key === 'string' && keyShape.test(key))) return key
  const message = '`Idempotency-Key` must be 1 to 255 printable ASCII characters'
  throw new ApiError('invalid_parameter_value', message, { param: 'Idempotency-Key' })
}

/** For the answer of `engine.accept` too: of two at once, one is answered what the other was. */
export function noteReplay<Answer extends Accepted | undefined>(
  request: FastifyRequest,
  answer: Answer,
): Answer {
  if (answer?.replay !== undefined) request.replayed = true
  return answer
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The order of an object's keys says nothing; an uploaded file counts by its content. */
function write(hash: Hash, value: unknown, spool: Pick<Spool, 'peek'>): void {
  if (Array.isArray(value)) {
    hash.update('[')
    for (const item of value) write(hash, item, spool)
    hash.update(']')
  } else if (isUploadedFile(value)) {
    hash.update(`data:${value.type.replace(/;.*/s, '')}#${spool.peek(value)}`)
  } else if (typeof value === 'object' && value !== null) {
    hash.update('{')
    for (const [name, member] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${JSON.stringify(name)}:`)
      write(hash, member, spool)
    }
    hash.update('}')
  } else if (typeof value === 'string') hash.update(`${value.length}"${value}"`)
  else hash.update(`${String(value)},`)
}
