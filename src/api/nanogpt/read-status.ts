import { Type } from '@sinclair/typebox'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { jobIdSchema, readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { querySchema } from '../requests/query.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { StatusResponse } from './schemas.ts'
import { renderStatus } from './status-body.ts'
import type { Dialect } from './status-mapping.ts'
import { waitForChange, waitParameter } from './wait-for-change.ts'

const statusQuery = querySchema({ requestId: Type.Unsafe<unknown>(jobIdSchema), wait: waitParameter })

type StatusRouteOptions = { path: string; dialect: Dialect; id: string; summary: string }

/** The job status under four paths, each in its documented response format. */
export const statusRoutes = [
  defineStatusRoute({
    path: '/v1/video/status',
    dialect: 'first',
    id: 'statusFirst',
    summary: 'Job status, in the format of March 2025',
  }),
  defineStatusRoute({
    path: '/video/status',
    dialect: 'current',
    id: 'status',
    summary: 'Job status',
  }),
  defineStatusRoute({
    path: '/generate-video/status',
    dialect: 'current',
    id: 'statusByRun',
    summary: 'Job status, under an older path',
  }),
  defineStatusRoute({
    path: '/video-status',
    dialect: 'seed',
    id: 'statusFlat',
    summary: 'Job status, in the format of November 2025',
  }),
]

function defineStatusRoute({
  path,
  dialect,
  id,
  summary,
}: StatusRouteOptions): RouteDefinition<{ query: typeof statusQuery }> {
  return {
    method: 'GET',
    path,
    docs: { id, tag: 'Videos', summary, errorStatuses: [403, 404] },
    quiet: true,
    query: statusQuery,
    response: StatusResponse,
    respond: async ({ engine, config }, request, reply) => {
      const current = await requireOwnJob(engine, request, readJobId(request.query))
      const view = await waitForChange(engine, request, current, request.query.wait)
      const statusOptions = { dialect, baseUrl: resolveBaseUrl(request, config.publicUrl), now: Date.now() }
      return reply
        .type('application/json')
        .send(renderStatus(view, statusOptions, (body) => String(reply.serialize(body))))
    },
  }
}
