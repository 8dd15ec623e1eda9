import { basename, join } from 'node:path'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import type { Redis } from 'ioredis'
import { createBook } from './accounts/book.ts'
import { createAccountCheck } from './accounts/check.ts'
import { createDoor, hasKeys } from './accounts/door.ts'
import { createHolds } from './accounts/holds.ts'
import { authOffWarning, createCommandOf, type KeyHelp, lockReason } from './accounts/key-messages.ts'
import { type Accounts, open } from './accounts/open.ts'
import { priceOf } from './accounts/price.ts'
import { createUsage } from './accounts/usage.ts'
import { registerHealthRoutes } from './api/health/health.ts'
import { errorHandler } from './api/plugins/error-handler.ts'
import { createApp } from './api/server.ts'
import { isLoopback } from './config.ts'
import type { Ground } from './ground.ts'
import { createCallbackCheck, createHints } from './jobs/callbacks.ts'
import { createEngine } from './jobs/engine.ts'
import { createUnknownJobs, deadlineMsOf } from './jobs/unknown-jobs.ts'
import { createWatchers } from './jobs/watchers.ts'
import { createWithdrawals } from './jobs/withdrawals.ts'
import { createRouteChooser } from './upstreams/choose-route.ts'

/** The HTTP side of a gateway that takes jobs. */
export async function createApiServer(context: Ground): Promise<FastifyInstance> {
  const { config, logger, closers, redis, keys, clock, store, queues, media, offers, upstreams, webhooks } =
    context
  const { keyMarker } = context
  const ledger = createBook({ redis, keys })
  const holds = createHolds({ redis, keys })
  const checkAccount = createAccountCheck({ redis, keys })
  const unknownJobs = createUnknownJobs({
    store,
    holds,
    offers,
    settingsOf: (provider) => upstreams[provider].settings,
    deadlineMs: (model) => deadlineMsOf(model, config.longestJobSeconds),
    now: clock.now,
  })
  const subscriber = await context.connections.forWorkers()
  const withdrawals = await createWithdrawals({
    dir: join(config.dataDir, 'withdrawals'),
    cancel: (id) => store.askCancel(id, 'withdrawn'),
    logger,
  })
  closers.push(() => withdrawals.stop())
  const watchers = createWatchers({ subscriber, keys })
  closers.push(() => watchers.close())
  const keyHelp = { keysCommand: config.keysCommand, markerFile: basename(keyMarker.file) }
  const accounts = config.auth === 'off' ? open : await createAccounts(context, subscriber)
  await warnAboutAccess(context, accounts, keyHelp)
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
      confirmAccepted: context.confirmAccepted,
      now: clock.now,
    }),
    routing: { ...offers, sandbox: config.sandbox },
    chooseRoute:
      context.rejectedKeys &&
      createRouteChooser({ offers, rejectedKeys: context.rejectedKeys, now: clock.now }),
    upstreams: context.upstreamReport,
    media,
    uploadBuffer: media.uploadBuffer,
    library: media.library,
    files: media.files,
    storage: media.storage,
    webhooks,
    receiveCallback: createHints({ now: clock.now, store, queues, offers, upstreams }),
    accounts,
    isCallbackAddress: createCallbackCheck({ store }),
    billing: {
      balanceUsd: ledger.balanceUsd,
      usage: createUsage({ redis, keys }),
      // The sandbox is free.
      check: config.sandbox ? (owner) => checkAccount(owner, 0) : checkAccount,
      price: (model, input) => priceOf(model, input, config.markupPercent),
      markupPercent: config.markupPercent,
    },
    rateLimits: { ...config.limits, redis, namespace: keys.limits },
    ...(config.adminKey !== undefined && {
      admin: { adminKey: config.adminKey, ledger, holds, unknownJobs, isAuthOff: config.auth === 'off' },
    }),
    isReady: context.ready,
    logger,
  })
}

function createAccounts({ config, redis, keys, keyMarker }: Ground, subscriber: Redis): Promise<Accounts> {
  return createDoor({ redis, subscriber, keys, marker: keyMarker, openWithoutKeys: isLoopback(config.host) })
}

/** Tells the operator at the start who can use the gateway, where that may not be what they want. */
async function warnAboutAccess(
  { config, logger, redis, keys, keyMarker }: Ground,
  accounts: Accounts,
  keyHelp: KeyHelp,
): Promise<void> {
  const access = await accounts.access()
  if (access === 'off') {
    if (await hasKeys(redis, keys, keyMarker)) logger.warn(authOffWarning)
    if (!isLoopback(config.host))
      logger.warn(
        'AUTH=off: whoever reaches the gateway can use it; make sure that something else protects it',
      )
    else if (config.paid)
      logger.warn(
        `AUTH=off: every program on this machine can spend money at your upstreams; set AUTH=keys and create an API key with: ${createCommandOf(keyHelp)}`,
      )
  } else if (access === 'anonymous') {
    const createKeyHint = `create an API key with: ${createCommandOf(keyHelp)}`
    if (config.paid)
      logger.warn(
        `no API key exists, so every program on this machine can spend money at your upstreams; ${createKeyHint}`,
      )
    else if (config.publicUrl !== undefined)
      logger.warn(
        `PUBLIC_URL is set and no API key exists; before others can reach the gateway, ${createKeyHint}`,
      )
  } else {
    const reason = lockReason(access, keyHelp)
    if (reason !== undefined) logger.warn(reason)
  }
}

/** A worker answers nothing but whether it lives. */
export function createHealthServer({ logger, ready, media, upstreamReport }: Ground): FastifyInstance {
  const logController = new LogController({ disableRequestLogging: true })
  const app: FastifyInstance = Fastify({ loggerInstance: logger as FastifyInstance['log'], logController })
  app.setErrorHandler(errorHandler)
  registerHealthRoutes(app, { isReady: ready, storage: media.storage, upstreams: upstreamReport })
  return app
}
