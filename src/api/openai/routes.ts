import type { FastifyInstance } from 'fastify'
import { registerFormParser } from '../body/form.ts'
import type { ApiDeps } from '../deps.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { createErrorHandler } from '../plugins/error-handler.ts'
import { type LimitHooks, registerRoutes } from '../register-routes.ts'
import { createVideo } from './create-video.ts'
import { deleteVideo } from './delete-video.ts'
import { downloadVideo } from './download-video.ts'
import { listVideos } from './list-videos.ts'
import { buildOpenaiErrorBody } from './openai-errors.ts'
import { remixVideo } from './remix-video.ts'
import { retrieveVideo } from './retrieve-video.ts'

/** Serves the OpenAI Videos API. */
export async function registerOpenaiRoutes(
  app: FastifyInstance,
  deps: ApiDeps,
  limits: LimitHooks,
): Promise<void> {
  const routes = [createVideo, remixVideo, listVideos, retrieveVideo, downloadVideo, deleteVideo]
  await app.register(async (scope) => {
    scope.setErrorHandler(createErrorHandler(buildOpenaiErrorBody))
    registerFormParser(scope)
    registerRoutes(scope, routes, {
      deps,
      limits,
      prefixes: ['/v1', '/api/v1'],
      authenticate: createAuthenticationHook(deps.authenticator),
    })
  })
}
