import { Type } from '@sinclair/typebox'
import { describeResponse } from '../openapi/operation.ts'
import { jobIdSchema, readJobId } from '../requests/job-id.ts'
import { querySchema } from '../requests/query.ts'
import { sendContent, variantParameter } from '../responses/send-content.ts'
import type { RouteDefinition } from '../route-definition.ts'

const contentQuery = querySchema({ runId: Type.Unsafe<unknown>(jobIdSchema), variant: variantParameter })

export const downloadResult: RouteDefinition<{ query: typeof contentQuery }> = {
  method: ['GET', 'HEAD'],
  path: '/generate-video/content',
  docs: {
    id: 'videoContent',
    tag: 'Videos',
    summary: 'Download a finished video or its thumbnail',
    replies: {
      200: describeResponse('The file; its link, if the client accepts JSON only.', {
        'video/mp4': { type: 'string', format: 'binary' },
        'image/jpeg': { type: 'string', format: 'binary' },
        'application/json': { type: 'object', required: ['url'], properties: { url: { type: 'string' } } },
      }),
      206: describeResponse('The requested range.', {
        'video/mp4': { type: 'string', format: 'binary' },
      }),
    },
    errorStatuses: [403, 404, 409, 410, 416],
  },
  query: contentQuery,
  quiet: true,
  respond: async (deps, request, reply) => {
    const { variant } = request.query
    return sendContent(deps, request, reply, { id: readJobId(request.query), variant })
  },
}
