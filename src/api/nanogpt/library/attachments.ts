import type { FastifyReply, FastifyRequest } from 'fastify'
import { text } from '../../../../providers/reader.ts'
import type { Attachment } from '../../../media/inputs/library.ts'
import { releaseAfter } from '../../body/body-budget.ts'
import { type FormPart, isForm, readFormParts } from '../../body/form-parts.ts'
import type { ApiDeps } from '../../deps.ts'
import { ApiError } from '../../errors.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { toIsoTime } from '../status-body.ts'

const defaultLimit = 50
const maxLimit = 200
/** A form may have some fields beside its file. */
const maxParts = 20

/** What callers keep with us: ours, as no version of the API has published how its library is filled. */
export const libraryRoutes: readonly RouteDefinition[] = [
  { method: 'POST', path: '/library', code: 201, respond: addAttachment, rateLimit: 'library' },
  { method: 'GET', path: '/library', respond: listAttachments, rateLimit: 'library' },
  {
    method: 'GET',
    path: '/library/:id',
    respond: async (parts, request) => toAttachmentBody(await requireOwnAttachment(parts, request)),
    rateLimit: 'library',
  },
  { method: 'DELETE', path: '/library/:id', respond: removeAttachment, rateLimit: 'library' },
]

async function addAttachment({ library }: ApiDeps, request: FastifyRequest, reply: FastifyReply) {
  if (!isForm(request)) {
    throw new ApiError('unsupported_media_type', 'The file must be sent as a multipart/form-data form')
  }
  const { owner } = request
  let attachment: Attachment | undefined
  const addFile = async ({ filename = '', type: declared, content }: FormPart) => {
    if (attachment === undefined && filename !== '') {
      attachment = await library.add({ owner, filename, declaredType: declared, content })
    }
  }
  const reservation = request.server.bodyDeps.budget.reserve()
  releaseAfter(reply.raw, reservation)
  await readFormParts(request, { reservation, maxParts, limitBytes: Infinity }, addFile).catch(
    async (cause: unknown) => {
      if (attachment !== undefined) await library.remove(attachment.id, owner)
      throw cause
    },
  )
  if (attachment === undefined)
    throw new ApiError('missing_required_parameter', 'A `file` is needed', { param: 'file' })
  return toAttachmentBody(attachment)
}

async function listAttachments({ library }: ApiDeps, { owner, query }: FastifyRequest) {
  const requestedLimit = Math.trunc(Number(text(query, 'limit') ?? defaultLimit))
  const limit = Number.isNaN(requestedLimit) ? defaultLimit : Math.min(Math.max(requestedLimit, 1), maxLimit)
  return { data: (await library.list(owner, limit)).map(toAttachmentBody) }
}

async function removeAttachment({ library }: ApiDeps, request: FastifyRequest) {
  const { id } = await requireOwnAttachment({ library }, request)
  await library.remove(id, request.owner)
  return { id, deleted: true }
}

/** Somebody else's is as good as none. */
async function requireOwnAttachment(
  { library }: Pick<ApiDeps, 'library'>,
  { params, owner }: FastifyRequest,
): Promise<Attachment> {
  const id = text(params, 'id') ?? ''
  const attachment = /^[\w-]{1,64}$/.test(id) ? await library.find(id, owner) : undefined
  if (attachment === undefined) throw new ApiError('not_found', 'There is no such attachment')
  return attachment
}

function toAttachmentBody({ id, kind, contentType, bytes, filename, createdAt, expiresAt }: Attachment) {
  const times = { createdAt: toIsoTime(createdAt), expiresAt: toIsoTime(expiresAt) }
  return { id, attachmentId: id, kind, contentType, bytes, filename, ...times }
}
