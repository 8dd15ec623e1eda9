import type { JobState } from '../../jobs/job.ts'
import { describeResponse, jsonContent } from '../openapi/operation.ts'
import { objectSchema, textSchema } from '../openapi/response-schemas.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { jobIdSchema, readJobIdNamed } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { toJobFailure } from '../responses/job-failure.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { toOutput } from './status-body.ts'

const midjourneyStatusSchema = objectSchema({
  status: { enum: ['NOT_START', 'submitted', 'IN_PROGRESS', 'SUCCESS', 'FAILED', 'unknown'] },
  task_id: textSchema,
  'progress?': textSchema,
  'imageUrl?': textSchema,
  'videoUrl?': textSchema,
  'videoUrls?': { type: 'array', items: textSchema },
  'failReason?': textSchema,
})

const midjourneyStatuses: Readonly<Record<JobState, string>> = {
  pending: 'NOT_START',
  submitting: 'NOT_START',
  queued: 'submitted',
  processing: 'IN_PROGRESS',
  generating: 'IN_PROGRESS',
  delivering: 'IN_PROGRESS',
  succeeded: 'SUCCESS',
  failed: 'FAILED',
  canceled: 'FAILED',
}

/** The job status in Midjourney's format. The status of an unknown ID is `unknown`; it is not an error. */
export const readMidjourneyStatus: RouteDefinition = {
  method: 'POST',
  path: '/check-midjourney-status',
  docs: {
    id: 'midjourneyStatus',
    tag: 'Videos',
    summary: 'Job status, in the format of Midjourney',
    body: jsonContent({ type: 'object', properties: { task_id: jobIdSchema } }),
    replies: { 200: describeResponse('The status.', { 'application/json': midjourneyStatusSchema }) },
    errorStatuses: [403, 404],
  },
  quiet: true,
  respond: async ({ engine, config }, request) => {
    const id = readJobIdNamed('task_id', request.body)
    if ((await engine.readStatus(id)) === undefined) return { status: 'unknown', task_id: id }
    const view = await requireOwnJob(engine, request, id)
    const output = toOutput(view, resolveBaseUrl(request, config.publicUrl))
    const failure = toJobFailure(view)
    return {
      status: midjourneyStatuses[view.state],
      task_id: id,
      progress: `${view.progress}%`,
      ...(output !== undefined && {
        imageUrl: output.url,
        videoUrl: output.url,
        videoUrls: output.videoUrls,
      }),
      ...(failure !== undefined && { failReason: failure.message }),
    }
  },
}
