import type { Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { list as listOf, text } from '../../providers/reader.ts'
import { type Event, type State, states, type View } from '../engine/job.ts'
import { identify } from './caller.ts'
import { ApiError } from './errors.ts'
import { checkId } from './input-limits.ts'
import { type Entry, Job, Jobs, JobWithHistory, publicStates } from './job-schemas.ts'
import { failureOf } from './nanogpt/failure.ts'
import { absolute, addressOf } from './nanogpt/links.ts'
import { noSuchJob, ownJob } from './nanogpt/own-job.ts'
import { timeOf } from './nanogpt/status.ts'
import { stageOf } from './nanogpt/words.ts'
import { readLimit } from './paging.ts'
import type { AppParts } from './parts.ts'

type ById = { Params: { id: string } }

/** Ours: the caller's jobs, whatever tongue they were asked for in. */
export function jobs(app: FastifyInstance, parts: AppParts): void {
  const { engine, config } = parts
  const onRequest = identify(parts.accounts)
  const tell = (request: FastifyRequest, view: View) => jobBody(view, addressOf(request, config.publicUrl))

  app.get('/api/jobs', { onRequest, schema: { response: { 200: Jobs } } }, async (request) => {
    const { owner, query } = request
    const [model, after] = [text(query, 'model'), text(query, 'cursor')]
    const wanted = statesOf(query)
    if (after !== undefined) checkId(after, 'cursor', app.textLimits)
    const page = await engine.list({
      owner,
      limit: readLimit(query),
      ...(model !== undefined && { model }),
      ...(wanted.length > 0 && { states: wanted }),
      ...(after !== undefined && { after }),
    })
    if (page !== undefined) {
      return { object: 'list', data: page.views.map((view) => tell(request, view)), next: page.next ?? null }
    }
    throw new ApiError('invalid_parameter_value', '`cursor` names no page of yours', { param: 'cursor' })
  })

  app.get<ById>(
    '/api/jobs/:id',
    { onRequest, schema: { response: { 200: JobWithHistory } }, config: { quiet: true } },
    async (request) => {
      const { id } = request.params
      const view = await ownJob(engine, request, id)
      const [input, events, notes] = await Promise.all([
        engine.asked(id),
        engine.events(id),
        engine.notes(id),
      ])
      return {
        ...tell(request, view),
        prompt: input.prompt ?? input.script ?? null,
        events: events.map(entryOf),
        notes: notes.map(({ at, kind }) => ({ at: timeOf(at), kind })),
      }
    },
  )

  app.delete<ById>('/api/jobs/:id', { onRequest, schema: { response: { 200: Job } } }, async (request) => {
    const { id } = request.params
    await ownJob(engine, request, id)
    const view = await engine.cancel(id)
    if (view === undefined) throw noSuchJob(id)
    return tell(request, view)
  })
}

function jobBody(view: View, address: string): Static<typeof Job> {
  const failure = failureOf(view)
  return {
    id: view.id,
    object: 'job',
    model: view.model,
    state: stageOf(view),
    progress: view.progress,
    createdAt: timeOf(view.createdAt),
    completedAt: view.completedAt === undefined ? null : timeOf(view.completedAt),
    expectedAt: view.expectedAt === undefined ? null : timeOf(view.expectedAt),
    costUsd: view.costUsd,
    videos: (view.videos ?? []).map(({ url, thumbnailUrl }) => ({
      url: absolute(address, url),
      ...(thumbnailUrl !== undefined && { thumbnailUrl: absolute(address, thumbnailUrl) }),
    })),
    error: failure === undefined ? null : { code: failure.code, message: failure.message },
    conversationUUID: view.conversationUUID ?? null,
    ...(view.sandbox === true && { sandbox: true }),
  }
}

/** Reasons stay in the operator's audit trail: they may speak of the gateway's own keys. */
function entryOf({ at, state, progress, provider }: Event): Static<typeof Entry> {
  const told = state === 'submitting' ? 'pending' : state
  return { at: timeOf(at), state: told, progress, ...(provider !== undefined && { provider }) }
}

function statesOf(query: unknown): State[] {
  const given = text(query, 'state') ?? listOf(query, 'state').map(String).join(',')
  const words = given
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  const wrong = words.find((word) => !publicStates.some((state) => state === word))
  if (wrong !== undefined) {
    const message = `\`state\` must be one of ${publicStates.join(', ')}; got ${JSON.stringify(wrong.slice(0, 40))}`
    throw new ApiError('invalid_parameter_value', message, { param: 'state' })
  }
  return states.filter((state) => words.includes(state === 'submitting' ? 'pending' : state))
}
