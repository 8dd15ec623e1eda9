import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import { compressionError, createArrivalCounter, discardBody, incompleteBodyError } from './body-arrival.ts'
import type { Reservation } from './body-budget.ts'
import { shortenQuoted } from './json-limits.ts'

/** One part of a form. `filename` is `undefined` where the client sent none, and empty for an empty file input. */
export type FormPart = {
  name: string
  filename: string | undefined
  /** As the client declared it; `text/plain` where it did not. */
  type: string
  content: AsyncIterable<Buffer>
}

const partStart = Buffer.from('\r\n--')
const maxPartStarts = 64
const maxSplitBytes = 1024

type Options = {
  /** Released here only when reading fails. */
  reservation: Reservation
  /** More parts are an error. */
  maxParts: number
  limitBytes: number
}

/** Leaves forms unparsed: the handlers of the routes in this scope read them with `readFormParts`. */
export function acceptForms(scope: FastifyInstance): void {
  scope.addContentTypeParser('multipart/form-data', (request, _payload, done) =>
    done(compressionError(request) ?? null),
  )
}

export function isForm({ headers }: FastifyRequest): boolean {
  return /^multipart\/form-data/i.test(headers['content-type'] ?? '')
}

/**
 * Reads a form part by part as it arrives. `readPart` gets texts and files: only the field and the bytes decide what a part is. An error of
 * `readPart` ends the reading, and the rest of the body is discarded.
 */
export async function readFormParts(
  request: FastifyRequest,
  { reservation, maxParts, limitBytes }: Options,
  readPart: (part: FormPart) => Promise<void>,
): Promise<void> {
  const { raw, headers } = request
  const { limits } = request.server.bodyDeps
  const countBytes = createArrivalCounter({ request, reservation, limits, limitBytes })
  const parser = createParser(headers as BusboyHeaders, maxParts)
  const finished = new Promise<void>((resolve, reject) => {
    parser.once('finish', resolve)
    parser.once('error', (cause) => reject(toFormError(cause)))
  })
  finished.catch((cause: unknown) => fail(cause))
  let reading = Promise.resolve()
  let failure: { cause: unknown } | undefined
  let partCount = 0
  const openStreams = new Set<BusboyFileStream>()

  function fail(cause: unknown): void {
    failure ??= { cause }
    // Nobody reads them any more, and the parser would wait.
    for (const content of openStreams) content.resume()
  }

  parser.on('file', (name: string | undefined, content, filename, _encoding, type) => {
    content.on('error', () => undefined)
    partCount += 1
    if (partCount > maxParts) fail(tooManyPartsError(maxParts, name))
    if (failure !== undefined || name === undefined) return void content.resume()
    openStreams.add(content)
    reading = reading
      .then(() =>
        failure === undefined ? readPart({ name, filename, type, content: toContent(content) }) : undefined,
      )
      .catch(fail)
      .finally(() => {
        openStreams.delete(content)
        content.resume()
      })
  })

  parser.on('partsLimit', () => fail(tooManyPartsError(maxParts)))

  try {
    for await (const piece of raw.iterator({ destroyOnReturn: false })) {
      countBytes(piece.length)
      for (const chunk of splitPiece(piece)) {
        await new Promise<void>((resolve) => parser.write(chunk, () => resolve()))
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
    const error = raw.readableAborted ? incompleteBodyError(cause) : cause
    for (const content of openStreams) content.destroy(error instanceof Error ? error : undefined)
    await reading
    discardBody(raw)
    throw error
  }
}

/** The parser waits for the end of each stream, so a reader that stops early must not destroy it. */
function toContent(stream: BusboyFileStream): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false }) }
}

/** The parser handles all parts of a chunk at once; many of them would block other requests. */
function splitPiece(piece: Buffer): Buffer[] {
  let startCount = 0
  for (
    let index = piece.indexOf(partStart);
    index !== -1 && startCount < maxPartStarts;
    index = piece.indexOf(partStart, index + 1)
  ) {
    startCount += 1
  }
  if (startCount < maxPartStarts) return [piece]
  const pieces: Buffer[] = []
  for (let offset = 0; offset < piece.length; offset += maxSplitBytes)
    pieces.push(piece.subarray(offset, offset + maxSplitBytes))
  return pieces
}

function createParser(headers: BusboyHeaders, maxParts: number): BusboyInstance {
  try {
    return new Busboy({
      headers,
      preservePath: true,
      isPartAFile: () => true,
      limits: { parts: maxParts + 1 },
    })
  } catch (cause) {
    throw toFormError(cause)
  }
}

function toFormError(cause: unknown): ApiError {
  return cause instanceof ApiError
    ? cause
    : new ApiError('invalid_request', 'The form cannot be read', { cause })
}

function tooManyPartsError(maxParts: number, name?: string): ApiError {
  if (name === undefined)
    return new ApiError('payload_too_large', `The form has more than ${maxParts} fields`)
  const param = shortenQuoted(name)
  return new ApiError(
    'payload_too_large',
    `The form has more than ${maxParts} fields: \`${param}\` is one too many`,
    {
      param,
    },
  )
}
