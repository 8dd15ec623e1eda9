import { randomUUID } from 'node:crypto'
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import type { MockContext } from '../mock-upstream.ts'

const maxUploadBytes = 200 * 1024 * 1024
/** Files are in memory, so only a few are stored. */
const maxFiles = 16
const maxBytes = 64 * 1024 * 1024

type Stored = { contentType: string; bytes: Buffer | undefined }
type Ticket = { filename?: string; size?: number; content_type?: string }

/** The two ways to upload a file: as a form, or with a ticket and PUT. */
export function mountUploads(
  app: FastifyInstance,
  context: MockContext,
  onRequest: onRequestAsyncHookHandler,
): void {
  const files = new Map<string, Stored>()
  const config = { operation: 'upload' }
  app.addContentTypeParser(/^\w/, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body)

  function store(filename: string, stored: Stored): string {
    const path = `/media/${randomUUID()}/${encodeURIComponent(filename)}`
    files.set(path, stored)
    deleteOldest(files)
    return path
  }

  app.post<{ Body: Buffer }>(
    '/api/v3/media/upload/binary',
    { config, onRequest, bodyLimit: maxUploadBytes },
    async (request, reply) => {
      const file = fileOf(request.body, request.headers['content-type'] ?? '')
      if (file === undefined) {
        return reply.code(400).send({ code: 400, message: 'a file is required in the form field "file"' })
      }
      const { name, contentType, bytes } = file
      const path = store(name, { contentType, bytes })
      return uploadReply(name, bytes.length, contentType, `${context.baseUrl('api')}${path}`)
    },
  )

  app.post<{ Body: Ticket }>('/api/v3/media/uploads', { config, onRequest }, async (request, reply) => {
    const { filename, size, content_type: contentType = 'application/octet-stream' } = request.body ?? {}
    if (typeof filename !== 'string' || typeof size !== 'number') {
      return reply.code(400).send({ code: 400, message: 'filename and size are required' })
    }
    const url = `${context.baseUrl('api')}${store(filename, { contentType, bytes: undefined })}`
    const upload = { method: 'PUT', url, headers: { 'content-type': contentType } }
    return uploadReply(filename, size, contentType, url, { upload })
  })

  app.put<{ Body: Buffer; Params: { '*': string } }>(
    '/media/*',
    { config, bodyLimit: maxUploadBytes },
    async (request, reply) => {
      const path = pathOf(request.url)
      const ticket = files.get(path)
      if (ticket === undefined || request.headers['content-type'] !== ticket.contentType) {
        return reply.code(403).send({ code: 403, message: 'no such ticket' })
      }
      files.set(path, { ...ticket, bytes: request.body })
      return reply.code(200).send()
    },
  )

  app.get('/media/*', { config: { operation: 'media' } }, async (request, reply) => {
    const stored = files.get(pathOf(request.url))
    if (stored?.bytes === undefined) return reply.code(404).send({ code: 404, message: 'File not found' })
    return reply.type(stored.contentType).send(stored.bytes)
  })
}

function pathOf(url: string): string {
  return url.slice(url.indexOf('/media/'))
}

function deleteOldest(files: Map<string, Stored>): void {
  const storedBytes = () => [...files.values()].reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)
  for (const oldest of files.keys()) {
    if (files.size <= 1 || (files.size <= maxFiles && storedBytes() <= maxBytes)) return
    files.delete(oldest)
  }
}

/** The part `file` of a form, without copying it: files may be large, and many may come at once. */
function fileOf(body: unknown, contentType: string) {
  const boundary = /;\s*boundary="?([^";]+)"?/i.exec(contentType)?.[1]
  if (!Buffer.isBuffer(body) || !contentType.startsWith('multipart/form-data') || boundary === undefined) {
    return undefined
  }
  const mark = `--${boundary}`
  for (let start = body.indexOf(mark); start !== -1; ) {
    const head = body.indexOf('\r\n\r\n', start)
    const end = body.indexOf(mark, start + mark.length)
    if (head === -1 || end === -1) return undefined
    const header = body.toString('utf8', start, head)
    const name = /\bname="file".*?\bfilename="([^"]*)"/i.exec(header)?.[1]
    const type = /^content-type:\s*(\S+)/im.exec(header)?.[1] ?? ''
    if (name !== undefined) return { name, contentType: type, bytes: body.subarray(head + 4, end - 2) }
    start = end
  }
  return undefined
}

function uploadReply(filename: string, size: number, contentType: string, url: string, more: object = {}) {
  const type = contentType.split('/')[0]
  return { code: 200, message: 'success', data: { type, download_url: url, filename, size, ...more } }
}
