import { mkdir } from 'node:fs/promises'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { providers } from '../providers/index.ts'
import type { ProviderName } from '../providers/provider.ts'
import { createBook } from './accounts/book.ts'
import { createDoor, hasKeys } from './accounts/door.ts'
import { open } from './accounts/open.ts'
import { priceOf } from './accounts/price.ts'
import { createUsage } from './accounts/usage.ts'
import { health } from './api/health.ts'
import { createApp } from './app.ts'
import { findModel } from './catalogue/index.ts'
import { type Config, ConfigError, isLoopback, type ProviderConfig } from './config.ts'
import { createEngine } from './engine/engine.ts'
import { createHints } from './engine/hint.ts'
import { createKeys, type Keys } from './engine/keys.ts'
import { firstLateLookMs, lateQueue } from './engine/late.ts'
import { createOffers } from './engine/offers.ts'
import { readOverrides } from './engine/overrides.ts'
import { createQueues, delivery, webhookQueue } from './engine/queues.ts'
import { createRenderTimes } from './engine/render-times.ts'
import { createSlots } from './engine/slots.ts'
import { createStore } from './engine/store.ts'
import { createSweep } from './engine/sweep.ts'
import { createTransport } from './engine/transport.ts'
import { createUnknownJobs } from './engine/unknown.ts'
import { createWatchers } from './engine/watchers.ts'
import { createWorkers } from './engine/worker.ts'
import { createMedia } from './media/media.ts'
import { checkServer } from './redis/check.ts'
import { createConnections } from './redis/connect.ts'
import { startEmbedded } from './redis/embedded.ts'
import { startSandbox } from './sandbox/host.ts'
import { sandboxes } from './sandbox/index.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

export type Gateway = {
  /** Where it listens. */
  address: string
  /** Which upstreams are real, which stand-ins. */
  upstreams: readonly { title: string; state: 'live' | 'sandbox' | 'no key' }[]
  /** Takes nothing new, lets every step finish, then lets go of Redis. */
  stop(): Promise<void>
}

const providerNames = Object.keys(providers) as ProviderName[]
const queueNames = [...providerNames, delivery, lateQueue, webhookQueue]

/** What to undo, oldest first. */
type Closers = (() => unknown)[]

/** Starts what `config.role` says. Whatever it opened is closed again in the reverse order. */
export async function startGateway(config: Config, logger: Logger): Promise<Gateway> {
  const closers: Closers = []
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) {
      try {
        await close()
      } catch (cause) {
        logger.error({ err: cause }, 'while stopping')
      }
    }
  }
  try {
    return await start(config, logger, closers, stop)
  } catch (cause) {
    await stop()
    throw cause
  }
}

async function start(
  config: Config,
  logger: Logger,
  closers: Closers,
  stop: () => Promise<void>,
): Promise<Gateway> {
  await mkdir(config.dataDir, { recursive: true })
  const target =
    config.redisUrl === undefined ? await embedded(config, logger, closers) : { url: config.redisUrl }
  const connections = createConnections(target, { prefix: config.redisPrefix, logger })
  closers.push(() => connections.close())
  const redis = await connections.forRequests()
  await checkServer(redis, { production: config.production, logger })

  const keys = createKeys(config.redisPrefix)
  const book = createBook({ redis, keys })
  const store = createStore({ redis, keys, keepMs: config.keepMs })
  const queues = createQueues({ redis, keys, names: queueNames })
  await queues.ready()
  closers.push(() => queues.close())
  const transport = createTransport({ timeoutMs: config.upstreamTimeoutMs })
  closers.push(() => transport.close())
  const upstreams = config.sandbox ? await sandboxed(config, redis, closers) : config.upstreams
  const media = await createMedia({ config, redis, keys, transport, upstreams, logger })
  closers.push(
    () => media.close(),
    () => media.retention.stop(),
  )
  media.retention.start()
  const offers = createOffers({
    providers,
    upstreams,
    links: media.reachable,
    overrides: config.offersFile === undefined ? {} : readOverrides(config.offersFile, providers),
  })

  const webhooks = createWebhooks({
    redis,
    keys,
    store,
    queues,
    keepMs: config.keepMs,
    config: config.webhooks,
    logger,
  })
  closers.push(() => webhooks.close())

  if (config.role !== 'api') {
    const working = await connections.forWorkers()
    const slots = createSlots({ redis: working, keys, caps: config.maxInFlight })
    const sweep = createSweep({
      redis,
      keys,
      store,
      queues,
      slots,
      sweepWebhooks: webhooks.sweep,
      logger,
    })
    const workers = createWorkers(
      {
        store: createStore({
          redis: working,
          keys,
          keepMs: config.keepMs,
          // Only makes it sooner: the sweep would find it.
          ended: (id) => void queues.add(webhookQueue, id).catch(() => undefined),
        }),
        offers,
        transport,
        renderTimes: createRenderTimes({ redis: working, key: keys.renderTimes(config.sandbox) }),
        inputs: media.handOver,
        deliver: media.deliver,
        secondsOf: media.secondsOf,
        typicalMs: (model) =>
          config.sandbox ? config.sandboxRenderMs : (findModel(model)?.typicalSeconds ?? 60) * 1000,
        slots,
        wake: (provider, id) => queues.bringForward(provider, id),
        tellEnd: webhooks.deliver,
        watchLate: (id) => queues.add(lateQueue, id, firstLateLookMs),
        ...(config.publicUrl === undefined
          ? {}
          : { hintUrl: (id: string, secret: string) => `${config.publicUrl}/hooks/${id}/${secret}` }),
        upstreams,
        timeoutMs: config.upstreamTimeoutMs,
        reconcileMs: config.reconcileMs,
        longestPollMs: config.longestPollMs,
        logger,
        now: Date.now,
      },
      { redis: working, queues, keys, names: queueNames, concurrency: config.concurrency },
    )
    closers.push(
      () => workers.close(),
      () => webhooks.stop(),
      () => sweep.stop(),
    )
    workers.start()
    sweep.start()
  }

  const ready = async () => (await redis.ping().catch(() => '')) === 'PONG'
  const subscriber = await connections.forWorkers()
  const watchers = createWatchers({ subscriber, keys })
  closers.push(() => watchers.close())
  const app =
    config.role === 'worker'
      ? healthOnly(logger, ready)
      : await createApp({
          config: {
            bodyLimitBytes: config.bodyLimitBytes,
            resultsKeptMs: config.resultsKeptMs,
            ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
          },
          engine: createEngine({ store, queues, watchers, longestJobSeconds: config.longestJobSeconds }),
          offers: { ...offers, sandbox: config.sandbox },
          media,
          spool: media.spool,
          library: media.library,
          files: media.files,
          webhooks,
          hint: createHints({ store, queues, offers, upstreams }),
          accounts: config.auth === 'off' ? open : await door(config, subscriber, redis, keys),
          money: {
            balanceUsd: book.balanceUsd,
            usage: createUsage({ redis, keys }),
            price: (model, input) => priceOf(model, input, config.markupPercent),
            markupPercent: config.markupPercent,
          },
          limits: { ...config.limits, redis, namespace: keys.limits },
          ...(config.adminKey !== undefined && {
            admin: { key: config.adminKey, book, unknown: createUnknownJobs(store) },
          }),
          ready,
          logger,
        })
  closers.push(async () => app.close())
  const address = await app.listen({ host: config.host, port: config.port })
  media.listensOn(address)
  return { address, upstreams: describe(config, upstreams), stop }
}

async function embedded(config: Config, logger: Logger, closers: Closers) {
  const server = await startEmbedded({ dataDir: config.dataDir, logger, production: config.production })
  closers.push(() => server.stop())
  return { path: server.path }
}

async function sandboxed(config: Config, redis: Redis, closers: Closers) {
  const host = await startSandbox({
    sandboxes,
    providers: Object.values(providers),
    upstreams: config.upstreams,
    redis,
    prefix: config.redisPrefix,
    renderMs: config.sandboxRenderMs,
  })
  closers.push(() => host.close())
  return host.upstreams
}

/** Who may come in; refuses to stand open where others can reach it. */
async function door(config: Config, subscriber: Redis, redis: Redis, keys: Keys) {
  const loopback = isLoopback(config.host)
  if (!loopback && config.adminKey === undefined && !(await hasKeys(redis, keys))) {
    throw new ConfigError([
      `HOST is ${config.host}, which others can reach, and no API key guards it: use 127.0.0.1, or say AUTH=off if something else does`,
    ])
  }
  return createDoor({ redis, subscriber, keys, openWithoutKeys: loopback })
}

/** A worker answers nothing but whether it lives. */
function healthOnly(logger: FastifyBaseLogger, ready: () => Promise<boolean>): FastifyInstance {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
  })
  health(app, { ready })
  return app
}

function describe(
  config: Config,
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>,
): Gateway['upstreams'] {
  return Object.values(providers).map((provider) => {
    const named = Object.values(provider.hosts).some(({ credentials }) =>
      credentials.every((name) => upstreams[provider.name].credentials[name] !== undefined),
    )
    return { title: provider.title, state: config.sandbox ? 'sandbox' : named ? 'live' : 'no key' }
  })
}
