import { join } from 'node:path'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import type { Redis } from 'ioredis'
import { createBook } from './accounts/book.ts'
import { createAccountCheck } from './accounts/check.ts'
import { createDoor, hasKeys } from './accounts/door.ts'
import { createHolds } from './accounts/holds.ts'
import { type Accounts, open } from './accounts/open.ts'
import { priceOf } from './accounts/price.ts'
import { createUsage } from './accounts/usage.ts'
import { health } from './api/health.ts'
import { refuse } from './api/refusals.ts'
import { createApp } from './app.ts'
import { ConfigError, isLoopback } from './config.ts'
import { createEngine } from './engine/engine.ts'
import { createCallbackCheck, createHints } from './engine/hint.ts'
import { createUnknownJobs, deadlineMsOf } from './engine/unknown.ts'
import { createWatchers } from './engine/watchers.ts'
import { createWithdrawals } from './engine/withdrawals.ts'
import type { Ground } from './ground.ts'

/** The HTTP side of a gateway that takes jobs. */
export async function serveApi(ground: Ground): Promise<FastifyInstance> {
  const { config, logger, closers, redis, keys, clock, store, queues, media, offers, upstreams, webhooks } =
    ground
  const book = createBook({ redis, keys })
  const holds = createHolds({ redis, keys })
  const unknown = createUnknownJobs({
    store,
    holds,
    offers,
    settingsOf: (provider) => upstreams[provider].settings,
    deadlineMs: (model) => deadlineMsOf(model, config.longestJobSeconds),
    now: clock.now,
  })
  const subscriber = await ground.connections.forWorkers()
  const withdrawals = await createWithdrawals({
    dir: join(config.dataDir, 'withdrawals'),
    cancel: (id) => store.askCancel(id, 'withdrawn'),
    logger,
  })
  closers.push(() => withdrawals.stop())
  const watchers = createWatchers({ subscriber, keys })
  closers.push(() => watchers.close())
  return createApp({
    config: {
      bodyLimitBytes: config.bodyLimitBytes,
      requestLimits: config.requestLimits,
      resultsKeptMs: config.resultsKeptMs,
      ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
    },
    engine: createEngine({
      store,
      queues,
      watchers,
      longestJobSeconds: config.longestJobSeconds,
      withdraw: withdrawals.add,
      confirmAccepted: ground.confirmAccepted,
      now: clock.now,
    }),
    offers: { ...offers, sandbox: config.sandbox },
    media,
    spool: media.spool,
    library: media.library,
    files: media.files,
    storage: media.storage,
    webhooks,
    hint: createHints({ now: clock.now, store, queues, offers, upstreams }),
    isCallback: createCallbackCheck({ store }),
    accounts: config.auth === 'off' ? open : await door(ground, subscriber),
    money: {
      balanceUsd: book.balanceUsd,
      usage: createUsage({ redis, keys }),
      check: createAccountCheck({ redis, keys }),
      price: (model, input) => priceOf(model, input, config.markupPercent),
      markupPercent: config.markupPercent,
    },
    limits: { ...config.limits, redis, namespace: keys.limits },
    ...(config.adminKey !== undefined && {
      admin: { key: config.adminKey, book, holds, unknown },
    }),
    ready: ground.ready,
    logger,
  })
}

/** Who may come in; refuses to stand open where others can reach it. */
async function door({ config, redis, keys }: Ground, subscriber: Redis): Promise<Accounts> {
  const loopback = isLoopback(config.host)
  if (!loopback && config.adminKey === undefined && !(await hasKeys(redis, keys))) {
    throw new ConfigError([
      `HOST is ${config.host}, which others can reach, and no API key guards it: use 127.0.0.1, or say AUTH=off if something else does`,
    ])
  }
  return createDoor({ redis, subscriber, keys, openWithoutKeys: loopback })
}

/** A worker answers nothing but whether it lives. */
export function serveHealth({ logger, ready, media }: Ground): FastifyInstance {
  const logController = new LogController({ disableRequestLogging: true })
  const app: FastifyInstance = Fastify({ loggerInstance: logger as FastifyInstance['log'], logController })
  app.setErrorHandler(refuse)
  health(app, { ready, storage: media.storage })
  return app
}
