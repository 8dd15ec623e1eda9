import { listSchema, okResponse } from '../../openapi/response-schemas.ts'
import { lenientIntegerParameter, querySchema } from '../../requests/query.ts'
import type { RouteDefinition } from '../../route-definition.ts'
import { attachmentSchema, toAttachmentBody } from './attachments.ts'

const libraryQuery = querySchema({
  limit: lenientIntegerParameter({ minimum: 1, maximum: 200, default: 50 }),
})

export const listAttachments: RouteDefinition<{ query: typeof libraryQuery }> = {
  method: 'GET',
  path: '/library',
  docs: {
    id: 'attachments',
    tag: 'Files',
    summary: 'The attachments of a key, newest first',
    replies: okResponse('The attachments.', listSchema(attachmentSchema)),
  },
  query: libraryQuery,
  rateLimit: 'library',
  respond: async ({ library }, { owner, query }) => ({
    data: (await library.list(owner, query.limit)).map(toAttachmentBody),
  }),
}
