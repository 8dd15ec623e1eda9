import { jsonContent } from '../openapi/operation.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { jobIdSchema, readJobId } from '../requests/job-id.ts'
import { jobNotFoundError, requireOwnJob } from '../requests/own-job.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { StatusResponse } from './schemas.ts'
import { buildStatusBody } from './status-body.ts'

/** Specific to this gateway: no version of the NanoGPT API documents how to cancel. */
export const cancelVideo: RouteDefinition = {
  method: 'POST',
  path: '/generate-video/cancel',
  docs: {
    id: 'cancelVideo',
    tag: 'Videos',
    summary: 'Cancel a job',
    body: jsonContent({ type: 'object', properties: { requestId: jobIdSchema } }),
    errorStatuses: [403, 404],
  },
  response: StatusResponse,
  respond: async ({ engine, config }, request) => {
    const id = readJobId(request.query, request.body)
    await requireOwnJob(engine, request, id)
    const view = await engine.cancel(id)
    if (view === undefined) throw jobNotFoundError(id)
    const baseUrl = resolveBaseUrl(request, config.publicUrl)
    return buildStatusBody(view, { dialect: 'current', baseUrl, now: Date.now() })
  },
}
