import { basename, join } from 'node:path'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import type { Redis } from 'ioredis'
import { type Authenticator, anonymousAccess } from './accounts/access.ts'
import { createAuthenticator, hasKeys } from './accounts/authenticator.ts'
import { createAccountCheck } from './accounts/check-account.ts'
import { createHolds } from './accounts/holds.ts'
import { priceJob } from './accounts/job-price.ts'
import { authOffWarning, createKeyCommand, explainLock, type KeyHelp } from './accounts/key-messages.ts'
import { createLedger } from './accounts/ledger.ts'
import { createUsageReader } from './accounts/usage.ts'
import { registerHealthRoutes } from './api/health/routes.ts'
import { errorHandler } from './api/plugins/error-handler.ts'
import { createApp } from './api/server.ts'
import { isLoopback } from './config/config.ts'
import type { Context } from './context.ts'
import { createCallbackReceiver, createCallbackSecretCheck } from './jobs/callbacks.ts'
import { createEngine } from './jobs/engine.ts'
import { createUnknownJobs, jobDeadlineMs } from './jobs/unknown-jobs.ts'
import { createJobWatchers } from './jobs/watchers.ts'
import { createWithdrawals } from './jobs/withdrawals.ts'
import { createRouteChooser } from './upstreams/choose-route.ts'

/** Creates the HTTP server of a process that accepts jobs. */
export async function createApiServer(context: Context): Promise<FastifyInstance> {
  const { config, logger, closers, redis, keys, clock, store, queues, media, routing, upstreams, webhooks } =
    context
  const { keyMarker } = context
  const ledger = createLedger({ redis, keys })
  const holds = createHolds({ redis, keys })
  const checkAccount = createAccountCheck({ redis, keys })
  const unknownJobs = createUnknownJobs({
    store,
    holds,
    routing,
    settingsOf: (provider) => upstreams[provider].settings,
    deadlineMs: (model) => jobDeadlineMs(model, config.longestJobSeconds),
    now: clock.now,
  })
  const subscriber = await context.connections.forWorkers()
  const withdrawals = await createWithdrawals({
    dir: join(config.dataDir, 'withdrawals'),
    cancel: (id) => store.requestCancel(id, 'withdrawn'),
    logger,
  })
  closers.push(() => withdrawals.stop())
  const watchers = createJobWatchers({ subscriber, keys })
  closers.push(() => watchers.close())
  const keyHelp = { keysCommand: config.keysCommand, markerFile: basename(keyMarker.file) }
  const authenticator =
    config.auth === 'off' ? anonymousAccess : await createKeyAuthenticator(context, subscriber)
  await warnAboutAccess(context, authenticator, keyHelp)
  return createApp({
    config: {
      trustProxy: config.trustProxy,
      origins: { isLoopback: isLoopback(config.host), allowedOrigins: config.allowedOrigins },
      failedAttempts: config.failedAttempts,
      keyHelp,
      bodyLimitBytes: config.bodyLimitBytes,
      textLimits: config.textLimits,
      requestLimits: config.requestLimits,
      resultsKeptMs: config.resultsKeptMs,
      ...config.requests,
      ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
    },
    engine: createEngine({
      store,
      queues,
      watchers,
      longestJobSeconds: config.longestJobSeconds,
      withdraw: withdrawals.add,
      confirmReplicas: context.confirmAccepted,
      now: clock.now,
    }),
    routing: { ...routing, sandbox: config.sandbox },
    chooseRoute:
      context.rejectedKeys &&
      createRouteChooser({ routing, rejectedKeys: context.rejectedKeys, now: clock.now }),
    upstreams: context.upstreamReport,
    media,
    uploadBuffer: media.uploadBuffer,
    library: media.library,
    files: media.files,
    storage: media.storage,
    webhooks,
    receiveCallback: createCallbackReceiver({ now: clock.now, store, queues, routing, upstreams }),
    authenticator,
    isCallbackAddress: createCallbackSecretCheck({ store }),
    billing: {
      balanceUsd: ledger.readBalanceUsd,
      usage: createUsageReader({ redis, keys }),
      // The sandbox is free.
      check: config.sandbox ? (owner) => checkAccount(owner, 0) : checkAccount,
      price: (model, input) => priceJob(model, input, config.markupPercent),
      markupPercent: config.markupPercent,
    },
    rateLimits: { ...config.rateLimits, redis, namespace: keys.rateLimits },
    ...(config.adminKey !== undefined && {
      admin: { adminKey: config.adminKey, ledger, holds, unknownJobs, isAuthOff: config.auth === 'off' },
    }),
    isReady: context.ready,
    logger,
  })
}

function createKeyAuthenticator(
  { config, redis, keys, keyMarker }: Context,
  subscriber: Redis,
): Promise<Authenticator> {
  return createAuthenticator({ redis, subscriber, keys, keyMarker, allowAnonymous: isLoopback(config.host) })
}

/** Warns at the start where more or fewer callers can use the gateway than the operator may expect. */
async function warnAboutAccess(
  { config, logger, redis, keys, keyMarker }: Context,
  authenticator: Authenticator,
  keyHelp: KeyHelp,
): Promise<void> {
  const access = await authenticator.readAccessMode()
  if (access === 'off') {
    if (await hasKeys(redis, keys, keyMarker)) logger.warn(authOffWarning)
    if (!isLoopback(config.host))
      logger.warn(
        'AUTH=off: everyone who can reach the gateway can use it; make sure that something else protects it',
      )
    else if (config.isPaid)
      logger.warn(
        `AUTH=off: every program on this machine can spend money at your upstreams; set AUTH=keys and create an API key with: ${createKeyCommand(keyHelp)}`,
      )
  } else if (access === 'anonymous') {
    const createKeyHint = `create an API key with: ${createKeyCommand(keyHelp)}`
    if (config.isPaid)
      logger.warn(
        `no API key exists, so every program on this machine can spend money at your upstreams; ${createKeyHint}`,
      )
    else if (config.publicUrl !== undefined)
      logger.warn(
        `PUBLIC_URL is set and no API key exists; before others can reach the gateway, ${createKeyHint}`,
      )
  } else {
    const reason = explainLock(access, keyHelp)
    if (reason !== undefined) logger.warn(reason)
  }
}

/** Creates the HTTP server of a worker, which has health routes only. */
export function createHealthServer({ logger, ready, media, upstreamReport }: Context): FastifyInstance {
  const logController = new LogController({ disableRequestLogging: true })
  const app: FastifyInstance = Fastify({ loggerInstance: logger as FastifyInstance['log'], logController })
  app.setErrorHandler(errorHandler)
  registerHealthRoutes(app, { isReady: ready, storage: media.storage, upstreams: upstreamReport })
  return app
}
