import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import type { FoundFile } from '../media/found-file.ts'
import type { Range } from '../media/store.ts'
import { ApiError } from './errors.ts'
import { pump } from './pump.ts'
import { openHeaders } from './stamp.ts'

const maxAgeSeconds = 86_400

/** A program in a browser may show the file and read all that it needs to seek in it. */
const openToPlayers = {
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Access-Control-Expose-Headers': `${openHeaders['Access-Control-Expose-Headers']}, accept-ranges, content-length, content-range, etag`,
}

/** Headers of somebody else's file that are passed on. */
const passedOn = ['content-type', 'content-length', 'content-range', 'accept-ranges', 'etag', 'last-modified']

/** Answers a file that never changes: whole or one range of it, to GET and HEAD, from any origin. */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: FoundFile,
): Promise<FastifyReply> {
  const { bytes, storedAt, contentType } = file
  const etag = `"${bytes.toString(16)}-${storedAt.toString(16)}"`
  const { range: asked, 'if-range': condition = etag, 'if-none-match': known } = request.headers
  const range = names(condition, etag) ? readRange(asked, bytes) : undefined
  const unchanged = names(known, etag)
  if (range === 'outside' && !unchanged) {
    const headers = { ...openToPlayers, 'Content-Range': `bytes */${bytes}` }
    throw new ApiError('range_not_satisfiable', `The file has ${bytes} bytes`, { headers })
  }
  const part = range === 'outside' ? undefined : range
  const bodiless = unchanged || request.method === 'HEAD'
  // Opened before anything is promised: a file may be removed at any time.
  const local = bodiless ? undefined : await file.openLocal?.()
  const body = bodiless || local !== undefined ? undefined : await file.open(part)

  reply.headers({
    ...openToPlayers,
    'Accept-Ranges': 'bytes',
    'Cache-Control': `private, max-age=${maxAgeSeconds}, immutable`,
    ETag: etag,
    'Last-Modified': new Date(storedAt).toUTCString(),
    'X-Content-Type-Options': 'nosniff',
  })
  if (unchanged) return reply.code(304).send()
  const { start, end } = part ?? { start: 0, end: bytes - 1 }
  reply.type(contentType).header('content-length', end - start + 1)
  if (part !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${bytes}`)
  if (local === undefined) return reply.send(body)
  if (request.server.closing.aborted) reply.header('connection', 'close')
  reply.hijack().raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  void pump(local, { start, end }, reply.raw)
  return reply
}

/** Passes on a file that another server has. */
export async function sendElsewhere(
  request: FastifyRequest,
  reply: FastifyReply,
  ask: () => Promise<Dispatcher.ResponseData>,
): Promise<FastifyReply> {
  const answer = await ask().catch((cause: unknown) => {
    throw new ApiError('service_unavailable', 'The upstream that has this video does not answer', { cause })
  })
  if (answer.statusCode !== 200 && answer.statusCode !== 206) {
    await answer.body.dump()
    throw new ApiError('gone', 'The upstream does not have this video any more')
  }
  for (const name of passedOn) {
    const value = answer.headers[name]
    if (value !== undefined) reply.header(name, value)
  }
  reply.code(answer.statusCode).headers(openToPlayers)
  if (request.method !== 'HEAD') return reply.send(answer.body)
  await answer.body.dump()
  return reply.send()
}

/** Whether a list of tags, or `*`, has this one. */
function names(header: string | string[] | undefined, etag: string): boolean {
  return (
    header
      ?.toString()
      .split(',')
      .some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim())) ?? false
  )
}

/** The one range that is asked for. Several, and what is no range, mean the whole file. */
function readRange(header: string | undefined, bytes: number): Range | 'outside' | undefined {
  const found = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '')
  if (found === null || (found[1] === '' && found[2] === '')) return undefined
  const [first, last] = [found[1] ?? '', found[2] ?? '']
  if (first === '') {
    const length = Math.min(Number(last), bytes)
    return length === 0 ? 'outside' : { start: bytes - length, end: bytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start < bytes ? { start, end } : 'outside'
}
