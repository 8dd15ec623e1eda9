import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { acceptForms } from '../body/form-parts.ts'
import { createPreBodyChecks } from '../body/pre-body-checks.ts'
import type { ApiDeps } from '../deps.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import type { RateLimitedOperation, RateLimitHooks } from '../plugins/rate-limits.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { readJobId } from '../requests/job-id.ts'
import { jobNotFoundError, requireOwnJob } from '../requests/own-job.ts'
import { compileQueryValidator } from '../requests/query.ts'
import { submitLegacyVideo, submitVideo } from './accept-submission.ts'
import { getBalance } from './check-balance.ts'
import { sendContent } from './content.ts'
import { extendVideo, getMidjourneyStatus } from './extend.ts'
import { libraryRoutes } from './library/attachments.ts'
import {
  listAllModels,
  listModelsByKind,
  listNoImageModels,
  listNoModels,
  listVideoModels,
} from './list-models.ts'
import { estimatePrice } from './price.ts'
import { getSubscriptionUsage } from './read-subscription-usage.ts'
import { readUsage } from './read-usage.ts'
import { recoverJobs } from './recover.ts'
import type { RouteDefinition } from './route-definition.ts'
import { BalanceResponse, RecoverResponse, StatusResponse, SubmitResponse } from './schemas.ts'
import { buildStatusBody, renderStatus } from './status-body.ts'
import type { Dialect } from './status-mapping.ts'
import { waitForChange } from './wait-for-change.ts'

/** The prefix of the paths in the OpenAPI document. */
const canonicalPrefix = '/api'
/** Every route is served under each of them: clients are configured with different base URLs. */
const pathPrefixes = [canonicalPrefix, '', '/api/v1', '/v1', '/api/v1/api']

/** Lists of models of other kinds, and of a subscription. */
const emptyListPaths = [
  ...['/v1/images/models', '/v1/image-models', '/v1/audio-models', '/v1/embedding-models'],
  ...['/subscription/v1/models', '/paid/v1/models', '/personalized/v1/models'],
]

/** Where a prefix makes two rows meet, the earlier one wins. */
const routeDefinitions: readonly RouteDefinition[] = [
  {
    method: 'POST',
    path: '/v1/video',
    respond: submitLegacyVideo,
    schema: SubmitResponse,
    rateLimit: 'submit',
  },
  defineStatusRoute('/v1/video/status', 'first'),
  defineStatusRoute('/video/status', 'current'),
  defineStatusRoute('/generate-video/status', 'current'),
  defineStatusRoute('/video-status', 'seed'),
  {
    method: 'POST',
    path: '/generate-video',
    code: 202,
    respond: (parts, request) => submitVideo(parts, request),
    schema: SubmitResponse,
    rateLimit: 'submit',
  },
  { method: 'POST', path: '/generate-video/cancel', respond: cancelJob, schema: StatusResponse },
  {
    method: 'POST',
    path: '/generate-video/extend',
    code: 202,
    respond: extendVideo,
    schema: SubmitResponse,
    rateLimit: 'extend',
  },
  { method: 'POST', path: '/check-midjourney-status', respond: getMidjourneyStatus, quiet: true },
  {
    method: 'GET',
    path: '/generate-video/recover',
    respond: recoverJobs,
    schema: RecoverResponse,
    rateLimit: 'recover',
  },
  { method: ['GET', 'HEAD'], path: '/generate-video/content', respond: sendContent, quiet: true },
  { method: 'POST', path: '/check-balance', respond: getBalance, schema: BalanceResponse },
  { method: 'POST', path: '/price', respond: estimatePrice },
  readUsage,
  { method: 'GET', path: '/v1/video-models', respond: listVideoModels, isPublic: true },
  { method: 'GET', path: '/subscription/v1/video-models', respond: listVideoModels, isPublic: true },
  { method: 'GET', path: '/paid/v1/video-models', respond: listVideoModels, isPublic: true },
  { method: 'GET', path: '/models/video', respond: listModelsByKind, isPublic: true },
  { method: 'GET', path: '/v1/models', respond: listAllModels, isPublic: true },
  { method: 'GET', path: '/models', respond: listAllModels, isPublic: true },
  { method: 'GET', path: '/models/image', respond: listNoImageModels, isPublic: true },
  ...emptyListPaths.map(
    (path): RouteDefinition => ({ method: 'GET', path, respond: listNoModels, isPublic: true }),
  ),
  { method: 'GET', path: '/subscription/v1/usage', respond: getSubscriptionUsage },
]

/** Serves the NanoGPT tongue: each row under each prefix. */
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

function defineStatusRoute(path: string, dialect: Dialect): RouteDefinition {
  return {
    method: 'GET',
    path,
    quiet: true,
    schema: StatusResponse,
    respond: async ({ engine, config }, request, reply) => {
      const current = await requireOwnJob(engine, request, readJobId(request.query))
      const view = await waitForChange(engine, request, current)
      const statusOptions = { dialect, baseUrl: resolveBaseUrl(request, config.publicUrl), now: Date.now() }
      return reply
        .type('application/json')
        .send(renderStatus(view, statusOptions, (body) => String(reply.serialize(body))))
    },
  }
}

/** Ours: no version of the API has published how to cancel. */
async function cancelJob({ engine, config }: ApiDeps, request: FastifyRequest): Promise<StatusResponse> {
  const id = readJobId(request.query, request.body)
  await requireOwnJob(engine, request, id)
  const view = await engine.cancel(id)
  if (view === undefined) throw jobNotFoundError(id)
  return buildStatusBody(view, {
    dialect: 'current',
    baseUrl: resolveBaseUrl(request, config.publicUrl),
    now: Date.now(),
  })
}
