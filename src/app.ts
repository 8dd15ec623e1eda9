import cors from '@fastify/cors'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { logRequest } from './api/access-log.ts'
import { admin } from './api/admin.ts'
import { createBodyBudget } from './api/body-budget.ts'
import { refuseConnection } from './api/connection.ts'
import { limitConnections } from './api/connection-limits.ts'
import { drain } from './api/drain.ts'
import { createFailureCounters } from './api/failed-attempts.ts'
import { files } from './api/files.ts'
import { health } from './api/health.ts'
import { hooks } from './api/hooks.ts'
import { requireHost } from './api/host.ts'
import { jobEvents } from './api/job-events.ts'
import { jobs } from './api/jobs.ts'
import { readJsonBodies } from './api/json-body.ts'
import { createLimits } from './api/limits.ts'
import { nanogpt } from './api/nanogpt/routes.ts'
import { openai } from './api/openai/routes.ts'
import { describeRoutes, serveDocument } from './api/openapi/document.ts'
import { createOriginGuard, isHidden } from './api/origin-guard.ts'
import type { AppParts } from './api/parts.ts'
import { rejectUncleanQueries } from './api/query-check.ts'
import { refuse } from './api/refusals.ts'
import { defaultRequestLimits } from './api/request-limits.ts'
import { corsOf, stamp } from './api/stamp.ts'
import { refuseUnknownPaths } from './api/unknown-path.ts'
import { webhooks } from './api/webhooks.ts'
import { defaultFailureLimits, defaultKeysCommand } from './config.ts'
import { isLoopbackAddress } from './network-address.ts'
import { randomId } from './random.ts'
import { defaultTextLimits } from './text-limits.ts'

export type { AppParts } from './api/parts.ts'

const jsonOfFastify = 'application/json; charset=utf-8'

/** How often Node looks for requests whose headers have not arrived in time. */
const headersCheckMs = 5000

const defaultKeyHelp = { keysCommand: defaultKeysCommand, markerFile: 'api-keys-exist' }
const anyHost = { isLoopback: false, allowedOrigins: [] }

/** Builds the whole HTTP side; it listens to nothing yet. */
export async function createApp(parts: AppParts): Promise<FastifyInstance> {
  const {
    trustProxy = isLoopbackAddress,
    origins = anyHost,
    failedAttempts = defaultFailureLimits,
    keyHelp = defaultKeyHelp,
    publicUrl,
    bodyLimitBytes,
    requestLimits: limits = defaultRequestLimits,
  } = parts.config
  const guarded = { accounts: parts.accounts, policy: { ...origins, publicUrl } }
  const app = Fastify({
    http: { connectionsCheckingInterval: headersCheckMs, requireHostHeader: false },
    loggerInstance: parts.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    requestIdHeader: false,
    genReqId: randomId,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
    // What still arrives while the server drains is served; the engine stops after it.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => {
      stamp(request, reply, () => undefined)
      if (isHidden(request, guarded)) reply.removeHeader('Access-Control-Allow-Origin')
      refuse(error, request, reply)
      logRequest(request, reply, () => undefined)
    },
  })

  app.decorate('textLimits', parts.config.textLimits ?? defaultTextLimits)
  app.decorateRequest('owner', '')
  app.decorateRequest('once', undefined)
  app.decorateRequest('replayed', false)
  app.decorateRequest('rpm', undefined)
  app.decorateRequest('refusal', undefined)
  app.decorateRequest('preferenceApplied', undefined)
  app.decorate('trustProxy', trustProxy)
  app.decorate('countFailure', createFailureCounters(failedAttempts))
  app.decorate('keyHelp', keyHelp)
  // Before any plugin, whose routes would keep the framework's own.
  app.setErrorHandler(refuse)
  app.addHook('onRequest', stamp)
  app.addHook('onRequest', requireHost)
  app.addHook('onRequest', createOriginGuard({ ...guarded, help: keyHelp }))
  // What it says on other replies than those to a preflight has been stamped on all of them.
  await app.register(async (preflights) => {
    await preflights.register(cors, { delegator: (request, use) => use(null, corsOf(request)) })
  })
  refuseUnknownPaths(app)
  const budget = createBodyBudget(limits.allBodies)
  readJsonBodies(app, { spool: parts.spool, limits, bodyLimitBytes, budget })
  rejectUncleanQueries(app)
  limitConnections(app, { ...limits, unreadBytes: 2 * bodyLimitBytes })
  drain(app)
  app.addHook('onSend', ({ replayed, preferenceApplied }, reply, payload, done) => {
    // One client reads a body as JSON only under exactly this type.
    if (reply.getHeader('content-type') === jsonOfFastify) reply.header('content-type', 'application/json')
    if (replayed) reply.header('Idempotent-Replayed', 'true')
    if (preferenceApplied !== undefined) reply.header('Preference-Applied', preferenceApplied)
    if (app.closing.aborted) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', logRequest)

  await describeRoutes(app)
  health(app, parts)
  files(app, parts)
  hooks(app, parts)
  jobEvents(app, parts)
  webhooks(app, parts)
  admin(app, parts)
  const rateLimits = await createLimits(app, parts.limits)
  await nanogpt(app, parts, rateLimits)
  await openai(app, parts, rateLimits)
  jobs(app, parts)
  await serveDocument(app, publicUrl)
  return app
}
