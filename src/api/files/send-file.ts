import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import type { ServedFile } from '../../media/results/served-file.ts'
import type { ByteRange } from '../../media/storage/file-store.ts'
import { ApiError } from '../errors.ts'
import { defaultHeaders } from '../plugins/default-headers.ts'
import { streamLocalFile } from './stream-local-file.ts'

const maxAgeSeconds = 86_400

/** A program in a browser may show the file and read all that it needs to seek in it. */
const playerHeaders = {
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Access-Control-Expose-Headers': `${defaultHeaders['Access-Control-Expose-Headers']}, accept-ranges, content-length, content-range, etag`,
}

/** Headers of somebody else's file that are passed on. */
const forwardedHeaders = [
  'content-type',
  'content-length',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
]

/** Answers a file that never changes: whole or one range of it, to GET and HEAD, from any origin. */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: ServedFile,
): Promise<FastifyReply> {
  const { bytes, storedAt, contentType } = file
  const etag = `"${bytes.toString(16)}-${storedAt.toString(16)}"`
  const { range: rangeHeader, 'if-range': ifRange = etag, 'if-none-match': ifNoneMatch } = request.headers
  const range = includesEtag(ifRange, etag) ? readRange(rangeHeader, bytes) : undefined
  const isUnchanged = includesEtag(ifNoneMatch, etag)
  if (range === 'outside' && !isUnchanged) {
    const headers = { ...playerHeaders, 'Content-Range': `bytes */${bytes}` }
    throw new ApiError('range_not_satisfiable', `The file has ${bytes} bytes`, { headers })
  }
  const sentRange = range === 'outside' ? undefined : range
  const isBodiless = isUnchanged || request.method === 'HEAD'
  // Opened before anything is promised: a file may be removed at any time.
  const localFile = isBodiless ? undefined : await file.openLocal?.()
  const body = isBodiless || localFile !== undefined ? undefined : await file.open(sentRange)

  reply.headers({
    ...playerHeaders,
    'Accept-Ranges': 'bytes',
    'Cache-Control': `private, max-age=${maxAgeSeconds}, immutable`,
    ETag: etag,
    'Last-Modified': new Date(storedAt).toUTCString(),
    'X-Content-Type-Options': 'nosniff',
  })
  if (isUnchanged) return reply.code(304).send()
  const { start, end } = sentRange ?? { start: 0, end: bytes - 1 }
  reply.type(contentType).header('content-length', end - start + 1)
  if (sentRange !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${bytes}`)
  if (localFile === undefined) return reply.send(body)
  if (request.server.closing.aborted) reply.header('connection', 'close')
  reply.hijack().raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  void streamLocalFile(localFile, { start, end }, reply.raw)
  return reply
}

/** Passes on a file that another server has. */
export async function sendRemoteFile(
  request: FastifyRequest,
  reply: FastifyReply,
  requestFile: () => Promise<Dispatcher.ResponseData>,
): Promise<FastifyReply> {
  const response = await requestFile().catch((cause: unknown) => {
    throw new ApiError('service_unavailable', 'The upstream that has this video does not answer', { cause })
  })
  if (response.statusCode !== 200 && response.statusCode !== 206) {
    await response.body.dump()
    throw new ApiError('gone', 'The upstream does not have this video any more')
  }
  for (const name of forwardedHeaders) {
    const value = response.headers[name]
    if (value !== undefined) reply.header(name, value)
  }
  reply.code(response.statusCode).headers(playerHeaders)
  if (request.method !== 'HEAD') return reply.send(response.body)
  await response.body.dump()
  return reply.send()
}

/** Whether a list of tags, or `*`, has this one. */
function includesEtag(header: string | string[] | undefined, etag: string): boolean {
  return (
    header
      ?.toString()
      .split(',')
      .some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim())) ?? false
  )
}

/** The requested range. Several ranges, or an invalid one, mean the whole file. */
function readRange(header: string | undefined, bytes: number): ByteRange | 'outside' | undefined {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const [first, last] = [match[1] ?? '', match[2] ?? '']
  if (first === '') {
    const length = Math.min(Number(last), bytes)
    return length === 0 ? 'outside' : { start: bytes - length, end: bytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start < bytes ? { start, end } : 'outside'
}
