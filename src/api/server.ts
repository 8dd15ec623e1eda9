import cors from '@fastify/cors'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { defaultFailureLimits, defaultKeysCommand } from '../config/access-settings.ts'
import { defaultRequestLimits } from '../config/request-limits.ts'
import { isLoopbackAddress } from '../net/network-address.ts'
import { defaultTextLimits } from '../text/text-limits.ts'
import { registerAdminRoutes } from './admin/routes.ts'
import { createBodyBudget } from './body/body-budget.ts'
import { registerJsonBodyParser } from './body/json-body.ts'
import { receiveCallback } from './callbacks/receive-callback.ts'
import type { ApiDeps } from './deps.ts'
import { serveFile } from './files/serve-file.ts'
import { serveInput } from './files/serve-input.ts'
import { registerHealthRoutes } from './health/routes.ts'
import { registerJobRoutes } from './jobs/routes.ts'
import { registerNanogptRoutes } from './nanogpt/routes.ts'
import { registerOpenaiRoutes } from './openai/routes.ts'
import { describeRoutes, serveDocument } from './openapi/document.ts'
import { logRequest, registerAccessLog } from './plugins/access-log.ts'
import { rejectConnection } from './plugins/connection-errors.ts'
import { limitConnections } from './plugins/connection-limits.ts'
import { corsOptionsFor, setDefaultHeaders } from './plugins/default-headers.ts'
import { errorHandler } from './plugins/error-handler.ts'
import { createFailureCounters } from './plugins/failed-attempts.ts'
import { registerGracefulClose } from './plugins/graceful-close.ts'
import { registerNotFoundHandler } from './plugins/not-found.ts'
import { createOriginGuard, mustHideReply } from './plugins/origin-guard.ts'
import { rejectUncleanQueries } from './plugins/query-check.ts'
import { createRateLimits } from './plugins/rate-limits.ts'
import { createRequestId, readTraceFields } from './plugins/request-id.ts'
import { createLimitHooks, registerRoutes } from './register-routes.ts'
import { requireHost } from './requests/host.ts'
import { registerWebhookRoutes } from './webhooks/routes.ts'

export type { ApiDeps } from './deps.ts'

const jsonOfFastify = 'application/json; charset=utf-8'

/** How often Node checks for requests whose headers did not arrive in time. */
const headersCheckMs = 5000

const defaultKeyHelp = { keysCommand: defaultKeysCommand, markerFile: 'api-keys-exist' }
const anyHost = { isLoopback: false, allowedOrigins: [] }

/** Builds the Fastify app with all routes. It does not listen yet. */
export async function createApp(deps: ApiDeps): Promise<FastifyInstance> {
  const {
    trustProxy = isLoopbackAddress,
    origins = anyHost,
    failedAttempts = defaultFailureLimits,
    keyHelp = defaultKeyHelp,
    publicUrl,
    bodyLimitBytes,
    requestLimits = defaultRequestLimits,
  } = deps.config
  const originGuardDeps = { authenticator: deps.authenticator, policy: { ...origins, publicUrl } }
  const app = Fastify({
    http: { connectionsCheckingInterval: headersCheckMs, requireHostHeader: false },
    loggerInstance: deps.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    childLoggerFactory: (logger, bindings, options, request) =>
      logger.child({ ...bindings, ...readTraceFields(request) }, options),
    bodyLimit: bodyLimitBytes,
    requestIdHeader: false,
    genReqId: createRequestId,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
    // Requests that arrive while the server closes are served; the engine stops later.
    return503OnClosing: false,
    clientErrorHandler: rejectConnection,
    frameworkErrors: (error, request, reply) => {
      setDefaultHeaders(request, reply, () => undefined)
      if (mustHideReply(request, originGuardDeps)) reply.removeHeader('Access-Control-Allow-Origin')
      errorHandler(error, request, reply)
      logRequest(request, reply)
    },
  })

  app.decorate('textLimits', deps.config.textLimits ?? defaultTextLimits)
  app.decorateRequest('owner', '')
  app.decorateRequest('idempotency', undefined)
  app.decorateRequest('isReplayed', false)
  app.decorateRequest('rpm', undefined)
  app.decorateRequest('preferenceApplied', undefined)
  app.decorate('trustProxy', trustProxy)
  app.decorate('countFailure', createFailureCounters(failedAttempts))
  app.decorate('keyHelp', keyHelp)
  // Before any plugin, whose routes would otherwise keep Fastify's error handler.
  app.setErrorHandler(errorHandler)
  registerAccessLog(app)
  app.addHook('onRequest', setDefaultHeaders)
  app.addHook('onRequest', requireHost)
  app.addHook('onRequest', createOriginGuard({ ...originGuardDeps, help: keyHelp }))
  // In a scope of its own, as it is needed for preflights only: all responses have the other CORS headers already.
  await app.register(async (corsScope) => {
    await corsScope.register(cors, { delegator: (request, use) => use(null, corsOptionsFor(request)) })
  })
  registerNotFoundHandler(app)
  const budget = createBodyBudget(requestLimits.allBodies)
  registerJsonBodyParser(app, {
    uploadBuffer: deps.uploadBuffer,
    limits: requestLimits,
    bodyLimitBytes,
    budget,
  })
  rejectUncleanQueries(app)
  limitConnections(app, { ...requestLimits, unreadBytes: 2 * bodyLimitBytes })
  registerGracefulClose(app)
  app.addHook('onSend', ({ isReplayed, preferenceApplied }, reply, payload, done) => {
    // One client parses a body as JSON only under exactly this type.
    if (reply.getHeader('content-type') === jsonOfFastify) reply.header('content-type', 'application/json')
    if (isReplayed) reply.header('Idempotent-Replayed', 'true')
    if (preferenceApplied !== undefined) reply.header('Preference-Applied', preferenceApplied)
    if (app.closing.aborted) reply.header('connection', 'close')
    done(null, payload)
  })

  await describeRoutes(app)
  registerHealthRoutes(app, deps)
  registerRoutes(app, [serveFile, serveInput, receiveCallback], { deps })
  registerWebhookRoutes(app, deps)
  registerAdminRoutes(app, deps)
  const limits = createLimitHooks(deps, await createRateLimits(app, deps.rateLimits))
  await registerNanogptRoutes(app, deps, limits)
  await registerOpenaiRoutes(app, deps, limits)
  registerJobRoutes(app, deps)
  await serveDocument(app, publicUrl)
  return app
}
