import { jobStates, publicStates } from '../../jobs/job.ts'
import { ApiError } from '../errors.ts'
import { checkId } from '../requests/input-limits.ts'
import { enumListParameter, pageLimitParameter, querySchema, textParameter } from '../requests/query.ts'
import { toPublicState } from '../responses/job-fields.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { toJobResponse } from './job-response.ts'
import { JobListResponse } from './schemas.ts'

const jobsQuery = querySchema({
  state: enumListParameter(publicStates, { description: 'One state, or several separated by commas.' }),
  model: textParameter(),
  limit: pageLimitParameter,
  cursor: textParameter({ description: '`next` of the previous page.' }),
})

/** The caller's jobs, whichever API submitted them. */
export const listJobs: RouteDefinition<{ query: typeof jobsQuery }> = {
  method: 'GET',
  path: '/api/jobs',
  docs: { id: 'jobs', tag: 'Jobs', summary: 'The jobs of a key, newest first' },
  query: jobsQuery,
  response: JobListResponse,
  respond: async (deps, request) => {
    const { owner, server } = request
    const { state: wantedStates, model, limit, cursor } = request.query
    if (cursor !== undefined) checkId(cursor, 'cursor', server.textLimits)
    const states = jobStates.filter((state) => wantedStates.includes(toPublicState({ state })))
    const page = await deps.engine.list({
      owner,
      limit,
      ...(model !== undefined && { model }),
      ...(states.length > 0 && { states }),
      ...(cursor !== undefined && { after: cursor }),
    })
    if (page === undefined)
      throw new ApiError('invalid_parameter_value', '`cursor` names no page of yours', { param: 'cursor' })
    return {
      object: 'list',
      data: page.views.map((view) => toJobResponse(deps, request, view)),
      next: page.next ?? null,
    }
  },
}
