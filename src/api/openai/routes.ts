import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createBodyChecks } from '../before-body.ts'
import { identify } from '../caller.ts'
import { readForm } from '../form.ts'
import { acceptForms, isForm } from '../form-parts.ts'
import { firstAnswer } from '../idempotency.ts'
import type { Limits } from '../limits.ts'
import { content } from '../nanogpt/content.ts'
import { ownJob } from '../nanogpt/own-job.ts'
import type { Submitted } from '../nanogpt/schemas.ts'
import { answerOf, type Body, readObject, take } from '../nanogpt/submit.ts'
import type { AppParts } from '../parts.ts'
import { refuseIn } from '../refusals.ts'
import { list } from './list.ts'
import { openaiErrorBody } from './refusal.ts'
import { remix } from './remix.ts'
import { Deleted, Video, Videos } from './schemas.ts'
import { validate } from './validate.ts'
import { videoOf } from './video.ts'

const prefixes = ['/v1/videos', '/api/v1/videos']

type ById = { Params: { id: string } }

/** Serves the tongue of the OpenAI Videos API. */
export async function openai(app: FastifyInstance, parts: AppParts, limits: Limits): Promise<void> {
  await app.register(async (scope) => {
    scope.setErrorHandler(refuseIn(openaiErrorBody))
    acceptForms(scope)
    scope.addHook('onRequest', identify(parts.accounts))
    for (const prefix of prefixes) serve(scope, prefix, parts, limits)
  })
}

function serve(app: FastifyInstance, prefix: string, parts: AppParts, limits: Limits): void {
  const onRequest = [limits.submit, createBodyChecks(parts).forSubmit]
  const tell = async (request: FastifyRequest, id: string): Promise<Video> => {
    const [view, input] = await Promise.all([ownJob(parts.engine, request, id), parts.engine.asked(id)])
    return videoOf(view, input, parts.config.resultsKeptMs)
  }
  /** The job as it is, with what was not taken as it was asked for. */
  const tellNew = async (request: FastifyRequest, { id, warnings }: Submitted): Promise<Video> => ({
    ...(await tell(request, id)),
    ...(warnings.length > 0 && { warnings }),
  })
  const video = { response: { 200: Video } }
  /** What a route does, under whichever prefix. */
  const does = (path: string, quiet = false) => ({ config: { operation: `/videos${path}`, quiet } })
  const byId = `${prefix}/:id`

  app.post(prefix, { ...does(''), onRequest, schema: video }, async (request, reply) => {
    const body = await bodyOf(request, reply)
    const first = await firstAnswer(parts, request, body)
    return tellNew(request, first === undefined ? await create(parts, request, body) : answerOf(first))
  })
  app.post<ById>(
    `${byId}/remix`,
    { ...does('/:id/remix'), onRequest, schema: video },
    async (request, reply) => {
      const { id } = request.params
      const body = await bodyOf(request, reply)
      const first = await firstAnswer(parts, request, { ...body, remixed: id })
      return tellNew(request, first === undefined ? await remix(parts, request, id, body) : answerOf(first))
    },
  )
  app.get(prefix, { ...does(''), schema: { response: { 200: Videos } } }, (request) => list(parts, request))
  app.get<ById>(byId, { ...does('/:id', true), schema: video }, (request) => tell(request, request.params.id))
  app.route<ById>({
    ...does('/:id/content', true),
    method: ['GET', 'HEAD'],
    url: `${byId}/content`,
    handler: (request, reply) => content(parts, request, reply, request.params.id),
  })
  app.delete<ById>(byId, { ...does('/:id'), schema: { response: { 200: Deleted } } }, (request) =>
    remove(parts, request, request.params.id),
  )
}

async function bodyOf(request: FastifyRequest, reply: FastifyReply): Promise<Body> {
  const body = isForm(request) ? await readForm(request, reply) : readObject(request.body)
  request.body = body
  return body
}

async function create(parts: AppParts, request: FastifyRequest, body: Body): Promise<Submitted> {
  const { admitted, ours } = validate(parts, request, body)
  request.body = ours
  return take(parts, request, admitted)
}

/** Forgets a finished job and its files; asks a running one to stop. */
async function remove({ engine, files }: AppParts, request: FastifyRequest, id: string): Promise<Deleted> {
  const { videos = [] } = await ownJob(engine, request, id)
  const removed = await engine.remove(id)
  if (!removed) await engine.cancel(id)
  const names = removed ? videos.flatMap(({ url }) => /^\/files\/(.+)$/.exec(url)?.[1] ?? []) : []
  for (const name of names) await files.forget(name)
  return { id, object: 'video.deleted', deleted: removed }
}
