import { okResponse } from '../../openapi/response-schemas.ts'
import type { RouteDefinition } from '../../route-definition.ts'
import { attachmentSchema, requireOwnAttachment, toAttachmentBody } from './attachments.ts'

export const readAttachment: RouteDefinition = {
  method: 'GET',
  path: '/library/:id',
  docs: {
    id: 'attachment',
    tag: 'Files',
    summary: 'An attachment',
    replies: okResponse('The attachment.', attachmentSchema),
    errorStatuses: [404],
  },
  rateLimit: 'library',
  respond: async (deps, request) => toAttachmentBody(await requireOwnAttachment(deps, request)),
}
