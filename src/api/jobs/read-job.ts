import type { Static } from '@sinclair/typebox'
import type { HistoryEntry } from '../../jobs/job.ts'
import { jobParams } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { toIsoTime, toPublicState } from '../responses/job-fields.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { toJobResponse } from './job-response.ts'
import { type JobEventEntry, JobWithHistoryResponse } from './schemas.ts'

export const readJob: RouteDefinition<{ params: typeof jobParams }> = {
  method: 'GET',
  path: '/api/jobs/:id',
  docs: {
    id: 'job',
    tag: 'Jobs',
    summary: 'A job with its history',
    errorStatuses: [403, 404],
  },
  params: jobParams,
  response: JobWithHistoryResponse,
  quiet: true,
  respond: async (deps, request) => {
    const { engine } = deps
    const { id } = request.params
    const view = await requireOwnJob(engine, request, id)
    const [input, events, notes] = await Promise.all([
      engine.readInput(id),
      engine.readHistory(id),
      engine.readNotes(id),
    ])
    return {
      ...toJobResponse(deps, request, view),
      prompt: input.prompt ?? input.script ?? null,
      events: events.map(toEventEntry),
      notes: notes.map(({ at, kind }) => ({ at: toIsoTime(at), kind })),
    }
  },
}

/** Reasons stay in the operator's audit trail: they may speak of the gateway's own keys. */
function toEventEntry({ at, state, progress, provider }: HistoryEntry): Static<typeof JobEventEntry> {
  return {
    at: toIsoTime(at),
    state: toPublicState({ state }),
    progress,
    ...(provider !== undefined && { provider }),
  }
}
