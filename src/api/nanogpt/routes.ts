import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { acceptForms } from '../body/form-parts.ts'
import { createPreBodyChecks } from '../body/pre-body-checks.ts'
import type { ApiDeps } from '../deps.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import type { RateLimitedOperation, RateLimitHooks } from '../plugins/rate-limits.ts'
import { compileQueryValidator } from '../requests/query.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { cancelVideo } from './cancel.ts'
import { checkBalance } from './check-balance.ts'
import { downloadVideo } from './download.ts'
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

/** The prefix of the paths in the OpenAPI document. */
const canonicalPrefix = '/api'
/** Every route is served under each of them: clients are configured with different base URLs. */
const pathPrefixes = [canonicalPrefix, '', '/api/v1', '/v1', '/api/v1/api']

/** If a prefix gives two routes the same URL, the earlier one wins. */
const routeDefinitions: readonly RouteDefinition[] = [
  submitLegacyVideo,
  ...statusRoutes,
  submitVideo,
  cancelVideo,
  extendVideo,
  readMidjourneyStatus,
  recoverVideos,
  downloadVideo,
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
  rateLimits: RateLimitHooks,
): Promise<void> {
  registerRoutes(app, routeDefinitions, deps, rateLimits)
  await app.register(async (scope) => {
    acceptForms(scope)
    registerRoutes(scope, libraryRoutes, deps, rateLimits)
  })
}

function registerRoutes(
  app: FastifyInstance,
  definitions: readonly RouteDefinition[],
  deps: ApiDeps,
  rateLimits: RateLimitHooks,
): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()
  const authenticate = createAuthenticationHook(deps.accounts)
  const preBodyChecks = createPreBodyChecks(deps)
  const hooksFor = (operation: RateLimitedOperation | undefined) => {
    if (operation === undefined) return []
    if (operation === 'recover') return [rateLimits.recover]
    return [
      rateLimits[operation],
      operation === 'library' ? preBodyChecks.forUpload : preBodyChecks.forSubmit,
    ]
  }
  const registered = new Set<string>()
  for (const definition of definitions) {
    const { method, path, docs, query, schema, code = 200 } = definition
    for (const prefix of pathPrefixes) {
      const url = prefix + path
      if (registered.has(`${method} ${url}`)) continue
      registered.add(`${method} ${url}`)
      routes.route({
        method,
        url,
        config: {
          quiet: definition.quiet ?? false,
          operation: path,
          ...(prefix === canonicalPrefix && docs !== undefined && { docs }),
        },
        onRequest: definition.isPublic ? [] : [authenticate, ...hooksFor(definition.rateLimit)],
        schema: {
          ...(query !== undefined && { querystring: query }),
          ...(schema !== undefined && { response: { [code]: schema } }),
        },
        validatorCompiler: compileQueryValidator,
        handler: async (request, reply) => {
          const responseBody = await definition.respond(deps, request, reply)
          // A reply that is awaited resolves to nothing, once it has been sent.
          return reply.sent ? reply : reply.code(code).send(responseBody)
        },
      })
    }
  }
}
