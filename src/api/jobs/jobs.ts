import type { Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { list as listOf, text } from '../../../providers/reader.ts'
import { type HistoryEntry, type JobState, type JobView, jobStates, publicStates } from '../../jobs/job.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { resolveBaseUrl, toAbsoluteUrl } from '../requests/base-url.ts'
import { checkId } from '../requests/input-limits.ts'
import { jobNotFoundError, requireOwnJob } from '../requests/own-job.ts'
import { readPageLimit } from '../requests/paging.ts'
import { toJobFailure } from '../responses/job-failure.ts'
import { toIsoTime, toPublicState } from '../responses/job-fields.ts'
import { type JobEventEntry, JobListResponse, JobResponse, JobWithHistoryResponse } from './job-schemas.ts'

type ByIdRoute = { Params: { id: string } }

/** Our own API: the caller's jobs, whichever API submitted them. */
export function registerJobRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { engine, config } = deps
  const onRequest = createAuthenticationHook(deps.accounts)
  const respond = (request: FastifyRequest, view: JobView) =>
    toJobResponse(view, resolveBaseUrl(request, config.publicUrl))

  app.get('/api/jobs', { onRequest, schema: { response: { 200: JobListResponse } } }, async (request) => {
    const { owner, query } = request
    const [model, cursor] = [text(query, 'model'), text(query, 'cursor')]
    const wantedStates = readStates(query)
    if (cursor !== undefined) checkId(cursor, 'cursor', app.textLimits)
    const page = await engine.list({
      owner,
      limit: readPageLimit(query),
      ...(model !== undefined && { model }),
      ...(wantedStates.length > 0 && { states: wantedStates }),
      ...(cursor !== undefined && { after: cursor }),
    })
    if (page !== undefined) {
      return {
        object: 'list',
        data: page.views.map((view) => respond(request, view)),
        next: page.next ?? null,
      }
    }
    throw new ApiError('invalid_parameter_value', '`cursor` names no page of yours', { param: 'cursor' })
  })

  app.get<ByIdRoute>(
    '/api/jobs/:id',
    { onRequest, schema: { response: { 200: JobWithHistoryResponse } }, config: { quiet: true } },
    async (request) => {
      const { id } = request.params
      const view = await requireOwnJob(engine, request, id)
      const [input, events, notes] = await Promise.all([
        engine.readInput(id),
        engine.readHistory(id),
        engine.readNotes(id),
      ])
      return {
        ...respond(request, view),
        prompt: input.prompt ?? input.script ?? null,
        events: events.map(toEventEntry),
        notes: notes.map(({ at, kind }) => ({ at: toIsoTime(at), kind })),
      }
    },
  )

  app.delete<ByIdRoute>(
    '/api/jobs/:id',
    { onRequest, schema: { response: { 200: JobResponse } } },
    async (request) => {
      const { id } = request.params
      await requireOwnJob(engine, request, id)
      const view = await engine.cancel(id)
      if (view === undefined) throw jobNotFoundError(id)
      return respond(request, view)
    },
  )
}

function toJobResponse(view: JobView, baseUrl: string): Static<typeof JobResponse> {
  const failure = toJobFailure(view)
  return {
    id: view.id,
    object: 'job',
    model: view.model,
    state: toPublicState(view),
    progress: view.progress,
    createdAt: toIsoTime(view.createdAt),
    completedAt: view.completedAt === undefined ? null : toIsoTime(view.completedAt),
    expectedAt: view.expectedAt === undefined ? null : toIsoTime(view.expectedAt),
    costUsd: view.costUsd,
    videos: (view.videos ?? []).map(({ url, thumbnailUrl }) => ({
      url: toAbsoluteUrl(baseUrl, url),
      ...(thumbnailUrl !== undefined && { thumbnailUrl: toAbsoluteUrl(baseUrl, thumbnailUrl) }),
    })),
    error: failure === undefined ? null : { code: failure.code, message: failure.message },
    conversationUUID: view.conversationUUID ?? null,
    ...(view.sandbox === true && { sandbox: true }),
  }
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

function readStates(query: unknown): JobState[] {
  const stateText = text(query, 'state') ?? listOf(query, 'state').map(String).join(',')
  const names = stateText
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const unknownName = names.find((name) => !publicStates.some((state) => state === name))
  if (unknownName !== undefined) {
    const message = `\`state\` must be one of ${publicStates.join(', ')}; got ${JSON.stringify(unknownName.slice(0, 40))}`
    throw new ApiError('invalid_parameter_value', message, { param: 'state' })
  }
  return jobStates.filter((state) => names.includes(state === 'submitting' ? 'pending' : state))
}
