import type { FastifyInstance, FastifyRequest } from 'fastify'
import { registerFormParser } from '../body/form.ts'
import { createPreBodyChecks } from '../body/pre-body-checks.ts'
import { type RequestBody, readBodyObject } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { createErrorHandler } from '../plugins/error-handler.ts'
import type { RateLimitHooks } from '../plugins/rate-limits.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { sendContent } from '../responses/send-content.ts'
import { type AcceptedJob, acceptSubmission, replayOrCreate } from '../submission/accept-submission.ts'
import { listVideos } from './list-videos.ts'
import { buildOpenaiErrorBody } from './openai-errors.ts'
import { toOpenaiVideo } from './openai-video.ts'
import { remixVideo } from './remix-video.ts'
import { DeletedOpenaiVideo, OpenaiVideo, OpenaiVideoList } from './schemas.ts'
import { validateVideo } from './validate-video.ts'

const pathPrefixes = ['/v1/videos', '/api/v1/videos']

type ByIdRoute = { Params: { id: string } }

/** Serves the OpenAI Videos API. */
export async function registerOpenaiRoutes(
  app: FastifyInstance,
  deps: ApiDeps,
  rateLimits: RateLimitHooks,
): Promise<void> {
  await app.register(async (scope) => {
    scope.setErrorHandler(createErrorHandler(buildOpenaiErrorBody))
    registerFormParser(scope)
    scope.addHook('onRequest', createAuthenticationHook(deps.accounts))
    for (const prefix of pathPrefixes) registerRoutes(scope, prefix, deps, rateLimits)
  })
}

function registerRoutes(
  app: FastifyInstance,
  prefix: string,
  deps: ApiDeps,
  rateLimits: RateLimitHooks,
): void {
  const onRequest = [rateLimits.submit, createPreBodyChecks(deps).forSubmit]
  const buildVideo = async (request: FastifyRequest, id: string): Promise<OpenaiVideo> => {
    const [view, input] = await Promise.all([
      requireOwnJob(deps.engine, request, id),
      deps.engine.readInput(id),
    ])
    return toOpenaiVideo(view, input, deps.config.resultsKeptMs)
  }
  /** The job, with warnings about values that were adjusted. */
  const buildNewVideo = async (
    request: FastifyRequest,
    { job, warnings }: AcceptedJob,
  ): Promise<OpenaiVideo> => ({
    ...(await buildVideo(request, job.id)),
    ...(warnings.length > 0 && { warnings: [...warnings] }),
  })
  const videoSchema = { response: { 200: OpenaiVideo } }
  /** What a route does, under whichever prefix. */
  const routeOptions = (path: string, quiet = false) => ({ config: { operation: `/videos${path}`, quiet } })
  const byId = `${prefix}/:id`

  app.post(prefix, { ...routeOptions(''), onRequest, schema: videoSchema }, async (request) => {
    const body = readBodyObject(request.body)
    return buildNewVideo(
      request,
      await replayOrCreate(deps, request, body, () => createVideo(deps, request, body)),
    )
  })
  app.post<ByIdRoute>(
    `${byId}/remix`,
    { ...routeOptions('/:id/remix'), onRequest, schema: videoSchema },
    async (request) => {
      const { id } = request.params
      const body = readBodyObject(request.body)
      const accepted = await replayOrCreate(deps, request, { ...body, remixed: id }, () =>
        remixVideo(deps, request, id, body),
      )
      return buildNewVideo(request, accepted)
    },
  )
  app.get(prefix, { ...routeOptions(''), schema: { response: { 200: OpenaiVideoList } } }, (request) =>
    listVideos(deps, request),
  )
  app.get<ByIdRoute>(byId, { ...routeOptions('/:id', true), schema: videoSchema }, (request) =>
    buildVideo(request, request.params.id),
  )
  app.route<ByIdRoute>({
    ...routeOptions('/:id/content', true),
    method: ['GET', 'HEAD'],
    url: `${byId}/content`,
    handler: (request, reply) => sendContent(deps, request, reply, request.params.id),
  })
  app.delete<ByIdRoute>(
    byId,
    { ...routeOptions('/:id'), schema: { response: { 200: DeletedOpenaiVideo } } },
    (request) => removeVideo(deps, request, request.params.id),
  )
}

async function createVideo(deps: ApiDeps, request: FastifyRequest, body: RequestBody): Promise<AcceptedJob> {
  const { admitted, body: translatedBody } = validateVideo(deps, request, body)
  return acceptSubmission(deps, request, { ...admitted, body: translatedBody })
}

/** Forgets a finished job and its files; asks a running one to stop. */
async function removeVideo(
  { engine, files }: ApiDeps,
  request: FastifyRequest,
  id: string,
): Promise<DeletedOpenaiVideo> {
  const { videos = [] } = await requireOwnJob(engine, request, id)
  const isRemoved = await engine.remove(id)
  if (!isRemoved) await engine.cancel(id)
  const names = isRemoved ? videos.flatMap(({ url }) => /^\/files\/(.+)$/.exec(url)?.[1] ?? []) : []
  for (const name of names) await files.remove(name)
  return { id, object: 'video.deleted', deleted: isRemoved }
}
