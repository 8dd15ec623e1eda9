import { describeResponse } from '../openapi/operation.ts'
import { objectSchema, textSchema } from '../openapi/response-schemas.ts'
import { jobParams } from '../requests/job-id.ts'
import { querySchema } from '../requests/query.ts'
import { sendContent, variantParameter } from '../responses/send-content.ts'
import type { RouteDefinition } from '../route-definition.ts'

const contentQuery = querySchema({ variant: variantParameter })
const fileSchema = { type: 'string', format: 'binary' }

export const downloadVideo: RouteDefinition<{ params: typeof jobParams; query: typeof contentQuery }> = {
  method: ['GET', 'HEAD'],
  path: '/videos/:id/content',
  docs: {
    id: 'downloadVideo',
    tag: 'OpenAI Videos',
    summary: 'Download a finished video or its thumbnail',
    replies: {
      200: describeResponse('The file; its link, if the client accepts JSON only.', {
        'video/mp4': fileSchema,
        'image/jpeg': fileSchema,
        'application/json': objectSchema({ url: textSchema }),
      }),
      206: describeResponse('The requested range.', { 'video/mp4': fileSchema }),
    },
    errorStatuses: [403, 404, 409, 410, 416],
    hasOpenaiErrors: true,
  },
  params: jobParams,
  query: contentQuery,
  quiet: true,
  respond: (deps, request, reply) => {
    const { params, query } = request
    return sendContent(deps, request, reply, { id: params.id, variant: query.variant })
  },
}
