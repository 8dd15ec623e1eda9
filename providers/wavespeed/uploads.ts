import { randomUUID } from 'node:crypto'
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import type { SandboxStage } from '../sandbox.ts'

const largest = 200 * 1024 * 1024
/** Files are kept in memory, so only a few of them. */
const keptFiles = 16

type Stored = { contentType: string; bytes: Buffer | undefined }
type Ticket = { filename?: string; size?: number; content_type?: string }

/** The stand-in's two ways to hand a file over: in one form, or by ticket and PUT. */
export function mountUploads(
  app: FastifyInstance,
  stage: SandboxStage,
  onRequest: onRequestAsyncHookHandler,
): void {
  const files = new Map<string, Stored>()
  const config = { operation: 'upload' }
  app.addContentTypeParser(/^\w/, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body)

  function keep(filename: string, stored: Stored): string {
    const path = `/media/${randomUUID()}/${encodeURIComponent(filename)}`
    files.set(path, stored)
    for (const oldest of files.keys()) if (files.size > keptFiles) files.delete(oldest)
    return path
  }

  app.post<{ Body: Buffer }>(
    '/api/v3/media/upload/binary',
    { config, onRequest, bodyLimit: largest },
    async (request, reply) => {
      const file = await fileOf(request.body, request.headers['content-type'] ?? '')
      if (file === undefined) {
        return reply.code(400).send({ code: 400, message: 'a file is required in the form field "file"' })
      }
      const path = keep(file.name, {
        contentType: file.type,
        bytes: Buffer.from(await file.arrayBuffer()),
      })
      return shown(file.name, file.size, file.type, `${stage.baseUrl('api')}${path}`)
    },
  )

  app.post<{ Body: Ticket }>('/api/v3/media/uploads', { config, onRequest }, async (request, reply) => {
    const { filename, size, content_type: contentType = 'application/octet-stream' } = request.body ?? {}
    if (typeof filename !== 'string' || typeof size !== 'number') {
      return reply.code(400).send({ code: 400, message: 'filename and size are required' })
    }
    const url = `${stage.baseUrl('api')}${keep(filename, { contentType, bytes: undefined })}`
    const upload = { method: 'PUT', url, headers: { 'content-type': contentType } }
    return shown(filename, size, contentType, url, { upload })
  })

  app.put<{ Body: Buffer; Params: { '*': string } }>(
    '/media/*',
    { config, bodyLimit: largest },
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

async function fileOf(body: unknown, contentType: string): Promise<File | undefined> {
  if (!Buffer.isBuffer(body) || !contentType.startsWith('multipart/form-data')) return undefined
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => undefined)
  const file = form?.get('file')
  return file instanceof File ? file : undefined
}

function shown(filename: string, size: number, contentType: string, url: string, more: object = {}) {
  const type = contentType.split('/')[0]
  return { code: 200, message: 'success', data: { type, download_url: url, filename, size, ...more } }
}
