import type { Attachment } from '../../../media/inputs/library.ts'
import { releaseAfter } from '../../body/body-budget.ts'
import { type FormPart, isForm, readFormParts } from '../../body/form-parts.ts'
import { ApiError } from '../../errors.ts'
import { objectSchema, okResponse } from '../../openapi/response-schemas.ts'
import type { RouteDefinition } from '../../route-definition.ts'
import { attachmentSchema, toAttachmentBody } from './attachments.ts'

/** A form may have some fields beside its file. */
const maxParts = 20

/** Specific to this gateway: no version of the NanoGPT API documents how its library is filled. */
export const addAttachment: RouteDefinition = {
  method: 'POST',
  path: '/library',
  docs: {
    id: 'keepAttachment',
    tag: 'Files',
    summary: 'Upload a file to use it in several jobs',
    body: { 'multipart/form-data': objectSchema({ file: { type: 'string', format: 'binary' } }) },
    replies: okResponse(
      'The attachment. Use its ID in `imageAttachmentId` and the other attachment fields.',
      attachmentSchema,
      201,
    ),
  },
  code: 201,
  rateLimit: 'library',
  respond: async ({ library }, request, reply) => {
    if (!isForm(request)) {
      throw new ApiError('unsupported_media_type', 'The file must be sent as a multipart/form-data form')
    }
    const { owner } = request
    let attachment: Attachment | undefined
    const addFile = async ({ filename = '', type: declaredType, content }: FormPart) => {
      if (attachment === undefined && filename !== '') {
        attachment = await library.add({ owner, filename, declaredType, content })
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
  },
}
