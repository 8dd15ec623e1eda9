import type { FastifyRequest } from 'fastify'
import { text } from '../../../../providers/reader.ts'
import type { Attachment } from '../../../media/inputs/library.ts'
import type { ApiDeps } from '../../deps.ts'
import { ApiError } from '../../errors.ts'
import { objectSchema, textSchema } from '../../openapi/response-schemas.ts'
import { toIsoTime } from '../../responses/job-fields.ts'

const timeSchema = { type: 'string', format: 'date-time' }

export const attachmentSchema = objectSchema({
  id: textSchema,
  attachmentId: textSchema,
  kind: { enum: ['image', 'video', 'audio'] },
  contentType: textSchema,
  bytes: { type: 'integer' },
  filename: textSchema,
  createdAt: timeSchema,
  expiresAt: timeSchema,
})

/** Throws `not_found` for an attachment of another key too. */
export async function requireOwnAttachment(
  { library }: Pick<ApiDeps, 'library'>,
  { params, owner }: FastifyRequest,
): Promise<Attachment> {
  const id = text(params, 'id') ?? ''
  const attachment = /^[\w-]{1,64}$/.test(id) ? await library.find(id, owner) : undefined
  if (attachment === undefined) throw new ApiError('not_found', 'There is no such attachment')
  return attachment
}

export function toAttachmentBody({
  id,
  kind,
  contentType,
  bytes,
  filename,
  createdAt,
  expiresAt,
}: Attachment) {
  const times = { createdAt: toIsoTime(createdAt), expiresAt: toIsoTime(expiresAt) }
  return { id, attachmentId: id, kind, contentType, bytes, filename, ...times }
}
