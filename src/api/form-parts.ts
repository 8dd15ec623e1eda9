import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { countArrival, discard, incomplete } from './body-arrival.ts'
import { ApiError } from './errors.ts'
import { compressionError, releaseAfter } from './json-body.ts'
import { shorten } from './json-limits.ts'

/** One part of a form. `filename`: `undefined` where the client gave none, empty for an empty file input. */
export type FormPart = {
  name: string
  filename: string | undefined
  /** As the client declared it; `text/plain` where it did not. */
  type: string
  content: AsyncIterable<Buffer>
}

const partStart = Buffer.from('\r\n--')
const mostStarts = 64
const splitBytes = 1024

type Options = {
  /** The most parts; one more is an error. */
  parts: number
  limitBytes: number
}

/** Leaves the bodies of forms to the handlers of the routes in this scope. */
export function acceptForms(scope: FastifyInstance): void {
  scope.addContentTypeParser('multipart/form-data', (request, _payload, done) =>
    done(compressionError(request) ?? null),
  )
}

export function isForm({ headers }: FastifyRequest): boolean {
  return /^multipart\/form-data/i.test(headers['content-type'] ?? '')
}

/**
 * Reads a form part by part, as it arrives. All of it goes through `take`, texts and files alike: what a part is, only its field and
 * its bytes can say. An error of `take` ends the reading; the rest of the body is let through unread.
 */
export async function readParts(
  request: FastifyRequest,
  reply: FastifyReply,
  { parts, limitBytes }: Options,
  take: (part: FormPart) => Promise<void>,
): Promise<void> {
  const { raw, headers } = request
  const { budget, limits } = request.server.bodyDeps
  const reservation = budget.reserve()
  releaseAfter(reply.raw, reservation)
  const count = countArrival({ request, reservation, limits, limitBytes })
  const parser = createParser(headers as BusboyHeaders, parts)
  const finished = new Promise<void>((resolve, reject) => {
    parser.once('finish', resolve)
    parser.once('error', (cause) => reject(unreadable(cause)))
  })
  finished.catch((cause: unknown) => fail(cause))
  let reading = Promise.resolve()
  let failure: { cause: unknown } | undefined
  let known = 0
  const open = new Set<BusboyFileStream>()

  function fail(cause: unknown): void {
    failure ??= { cause }
    // Nobody reads them any more; the parser waits until somebody has.
    for (const content of open) content.resume()
  }

  parser.on('file', (name: string | undefined, content, filename, _encoding, type) => {
    content.on('error', () => undefined)
    known += 1
    if (known > parts) fail(tooManyParts(parts, name))
    if (failure !== undefined || name === undefined) return void content.resume()
    open.add(content)
    reading = reading
      .then(() =>
        failure === undefined ? take({ name, filename, type, content: contentOf(content) }) : undefined,
      )
      .catch(fail)
      .finally(() => {
        open.delete(content)
        content.resume()
      })
  })

  parser.on('partsLimit', () => fail(tooManyParts(parts)))

  try {
    for await (const piece of raw.iterator({ destroyOnReturn: false })) {
      count(piece.length)
      for (const one of split(piece)) {
        await new Promise<void>((resolve) => parser.write(one, () => resolve()))
        if (failure !== undefined) throw failure.cause
      }
    }
    parser.end()
    await finished
    await reading
    if (failure !== undefined) throw failure.cause
  } catch (cause) {
    fail(cause)
    reservation.release()
    const error = raw.readableAborted ? incomplete(cause) : cause
    for (const content of open) content.destroy(error instanceof Error ? error : undefined)
    await reading
    discard(raw)
    throw error
  }
}

/** The parser waits for the end of a stream, so that a reader who stops early must not destroy it. */
function contentOf(stream: BusboyFileStream): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false }) }
}

/** The parser makes all parts of a piece at once: many of them would keep other requests waiting. */
function split(piece: Buffer): Buffer[] {
  let found = 0
  for (
    let at = piece.indexOf(partStart);
    at !== -1 && found < mostStarts;
    at = piece.indexOf(partStart, at + 1)
  ) {
    found += 1
  }
  if (found < mostStarts) return [piece]
  const pieces: Buffer[] = []
  for (let at = 0; at < piece.length; at += splitBytes) pieces.push(piece.subarray(at, at + splitBytes))
  return pieces
}

function createParser(headers: BusboyHeaders, parts: number): BusboyInstance {
  try {
    return new Busboy({ headers, preservePath: true, isPartAFile: () => true, limits: { parts: parts + 1 } })
  } catch (cause) {
    throw unreadable(cause)
  }
}

function unreadable(cause: unknown): ApiError {
  return cause instanceof ApiError
    ? cause
    : new ApiError('invalid_request', 'The form cannot be read', { cause })
}

function tooManyParts(parts: number, name?: string): ApiError {
  if (name === undefined) return new ApiError('payload_too_large', `The form has more than ${parts} fields`)
  const param = shorten(name)
  return new ApiError(
    'payload_too_large',
    `The form has more than ${parts} fields: \`${param}\` is one too many`,
    {
      param,
    },
  )
}
