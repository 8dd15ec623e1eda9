import type { FastifyInstance } from 'fastify'
import { acceptForms } from '../body/form-parts.ts'
import type { ApiDeps } from '../deps.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { type LimitHooks, registerRoutes } from '../register-routes.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { cancelVideo } from './cancel.ts'
import { checkBalance } from './check-balance.ts'
import { downloadResult } from './download.ts'
import { extendVideo } from './extend.ts'
import { addAttachment } from './library/add.ts'
import { listAttachments } from './library/list.ts'
import { readAttachment } from './library/read.ts'
import { removeAttachment } from './library/remove.ts'
import { listModels, listModelsUnversioned } from './models/list-models.ts'
import { listModelsByKind } from './models/list-models-by-kind.ts'
import { emptyListRoutes } from './models/list-no-models.ts'
import { listVideoModels, otherVideoModelRoutes } from './models/list-video-models.ts'
import { estimatePrice } from './price.ts'
import { readMidjourneyStatus } from './read-midjourney-status.ts'
import { statusRoutes } from './read-status.ts'
import { readSubscriptionUsage } from './read-subscription-usage.ts'
import { readUsage } from './read-usage.ts'
import { recoverVideos } from './recover.ts'
import { submitVideo } from './submit.ts'
import { submitLegacyVideo } from './submit-legacy.ts'

/** Clients are configured with different base URLs. */
const pathPrefixes = ['/api', '', '/api/v1', '/v1', '/api/v1/api']

/** If a prefix gives two routes the same URL, the earlier one wins. */
const routeDefinitions: readonly RouteDefinition[] = [
  submitLegacyVideo,
  ...statusRoutes,
  submitVideo,
  cancelVideo,
  extendVideo,
  readMidjourneyStatus,
  recoverVideos,
  downloadResult,
  checkBalance,
  estimatePrice,
  readUsage,
  listVideoModels,
  ...otherVideoModelRoutes,
  listModelsByKind,
  listModels,
  listModelsUnversioned,
  ...emptyListRoutes,
  readSubscriptionUsage,
]

/** Routes that take a form. */
const libraryRoutes: readonly RouteDefinition[] = [
  addAttachment,
  listAttachments,
  readAttachment,
  removeAttachment,
]

/** Serves the NanoGPT API: each route under each prefix. */
export async function registerNanogptRoutes(
  app: FastifyInstance,
  deps: ApiDeps,
  limits: LimitHooks,
): Promise<void> {
  const options = {
    deps,
    limits,
    prefixes: pathPrefixes,
    authenticate: createAuthenticationHook(deps.authenticator),
  }
  registerRoutes(app, routeDefinitions, options)
  await app.register(async (scope) => {
    acceptForms(scope)
    registerRoutes(scope, libraryRoutes, options)
  })
}
