import { objectSchema, okResponse, textSchema } from '../../openapi/response-schemas.ts'
import type { RouteDefinition } from '../../route-definition.ts'
import { requireOwnAttachment } from './attachments.ts'

export const removeAttachment: RouteDefinition = {
  method: 'DELETE',
  path: '/library/:id',
  docs: {
    id: 'removeAttachment',
    tag: 'Files',
    summary: 'Delete an attachment; jobs that use it continue',
    replies: okResponse(
      'The attachment is deleted.',
      objectSchema({ id: textSchema, deleted: { type: 'boolean' } }),
    ),
    errorStatuses: [404],
  },
  rateLimit: 'library',
  respond: async ({ library }, request) => {
    const { id } = await requireOwnAttachment({ library }, request)
    await library.remove(id, request.owner)
    return { id, deleted: true }
  },
}
