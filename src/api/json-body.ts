import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Spool } from '../media/spool.ts'
import { ApiError } from './errors.ts'
import { withExactNumbers } from './json-numbers.ts'
import { createReader, longBytes } from './long-strings.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What stands in the body for data URLs that are files by now. */
    standIns: readonly string[] | undefined
  }
}

type Done = (error: Error | null, body?: unknown) => void

/**
 * Reads every body as JSON, whatever its content type says: `curl -d` sends JSON as a form, and some clients as text. An
 * empty body is none, also where JSON is announced. Keys that would reach into a prototype make a body invalid.
 */
export function readJsonBodies(app: FastifyInstance, { spool }: { spool: Spool }): void {
  const parse = app.getDefaultJsonParser('error', 'error')

  function understand(request: FastifyRequest, text: string, done: Done): void {
    if (text.trim() === '') {
      done(null)
      return
    }
    void parse(request, text, (error, value) => {
      const type = request.headers['content-type']
      if (error !== null) done(looksLikeJson(type, text) ? error : foreign(type))
      else if (isDeeper(value, mostLevels))
        done(new ApiError('invalid_request', 'The body is nested too deeply'))
      else done(null, withExactNumbers(text, value))
    })
  }

  async function readLong(request: FastifyRequest, payload: Readable): Promise<unknown> {
    const reader = createReader(spool)
    try {
      const text = await readText(payload, reader, request.routeOptions.bodyLimit)
      request.standIns = reader.standIns
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      understand(request, text, (error, body) => (error === null ? resolve(body) : reject(error)))
      return await promise
    } catch (cause) {
      await spool.drop(reader.standIns)
      throw cause
    }
  }

  app.removeAllContentTypeParsers()
  app.decorateRequest('standIns', undefined)
  // The first of the two is the one that Fastify finds without a search.
  app.addContentTypeParser(
    ['application/json', '*'],
    (request: FastifyRequest, payload: Readable, done: Done) => {
      const { 'content-length': told, 'content-encoding': encoding = 'identity' } = request.headers
      const { bodyLimit } = request.routeOptions
      if (encoding !== 'identity') done(compressed(encoding))
      else if (Number(told ?? 0) > bodyLimit) done(tooLarge(bodyLimit))
      else if (Number(told) < longBytes) {
        readShort(payload, (error, text) => (error === null ? understand(request, text, done) : done(error)))
      } else {
        readLong(request, payload).then((body) => done(null, body), done)
      }
    },
  )
  app.addHook('preValidation', ({ standIns = [] }, { raw }, done) => {
    if (standIns.length > 0) spool.dropAfter(raw, standIns)
    done()
  })
}

/** Whoever writes a value out again goes down into it, and would run out of stack. */
const mostLevels = 64

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

async function readText(
  payload: Readable,
  reader: ReturnType<typeof createReader>,
  bodyLimit: number,
): Promise<string> {
  let bytes = 0
  try {
    // The connection lives on after a refusal, so that the refusal arrives.
    for await (const piece of payload.iterator({ destroyOnReturn: false })) {
      bytes += piece.length
      if (bytes > bodyLimit) throw tooLarge(bodyLimit)
      await reader.write(piece)
    }
  } catch (cause) {
    await reader.end()
    // What still comes is let through unread.
    payload.resume()
    if (!payload.readableAborted) throw cause
    throw cutShort(cause)
  }
  return reader.end()
}

/** No long data URL fits into it, so nothing needs to be looked for. Half the cost of iterating. */
function readShort(payload: Readable, done: (error: Error | null, text: string) => void): void {
  const pieces: Buffer[] = []
  payload.on('data', (piece: Buffer) => pieces.push(piece))
  payload.once('end', () => done(null, Buffer.concat(pieces).toString('utf8')))
  payload.once('error', (cause) => done(cutShort(cause), ''))
}

function cutShort(cause: unknown): ApiError {
  return new ApiError('invalid_request', 'The body did not arrive whole', { cause })
}

function compressed(encoding: string): ApiError {
  return new ApiError('unsupported_media_type', `The body must not be compressed; it is sent as ${encoding}`)
}

function tooLarge(limitBytes: number): ApiError {
  return new ApiError('payload_too_large', `The body is larger than ${limitBytes} bytes`)
}

function looksLikeJson(type: string | undefined, body: string): boolean {
  return type === undefined || /json/i.test(type) || /^\s*[[{]/.test(body)
}

function foreign(type: string | undefined): ApiError {
  return new ApiError(
    'unsupported_media_type',
    `The body must be JSON, sent as application/json; got ${type}`,
  )
}
