import { mkdir } from 'node:fs/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { providers } from '../providers/index.ts'
import type { ProviderName } from '../providers/provider.ts'
import { hasKeys } from './accounts/door.ts'
import { createKeyMarker } from './accounts/key-marker.ts'
import { models } from './catalogue/index.ts'
import type { Config } from './config.ts'
import { pollIntervalMs } from './jobs/poll-schedule.ts'
import { createQueues, delivery, webhookQueue } from './jobs/queues.ts'
import { lateQueue } from './jobs/steps/late-result.ts'
import { markCleanShutdown, observeServer } from './jobs/store/epoch.ts'
import { createStore } from './jobs/store/store.ts'
import { createMedia } from './media/media.ts'
import { createUpstreamReport, logUpstreams } from './readiness.ts'
import { checkRedisServer } from './redis/check-server.ts'
import { type Clock, createClock } from './redis/clock.ts'
import { createConnections } from './redis/connections.ts'
import { startEmbeddedRedis } from './redis/embedded.ts'
import { createKeys, type Keys } from './redis/keys.ts'
import { createReplicaBarrier } from './redis/replicas.ts'
import { createSandbox } from './sandbox/sandbox.ts'
import { mockUpstreams } from './sandbox/upstreams/index.ts'
import { readOverrides } from './upstreams/overrides.ts'
import { createRejectedKeys } from './upstreams/rejected-keys.ts'
import { createOffers } from './upstreams/routing.ts'
import { createTransport } from './upstreams/transport.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

/** What to undo, oldest first. */
export type Closers = (() => unknown)[]

export type Ground = Awaited<ReturnType<typeof layGround>>

export const queueNames = [...(Object.keys(providers) as ProviderName[]), delivery, lateQueue, webhookQueue]

/** What the api and the workers both stand on. Everything opened here is in `closers` when it rejects, too. */
export async function layGround(config: Config, logger: Logger, closers: Closers) {
  await mkdir(config.dataDir, { recursive: true })
  const target =
    config.redisUrl === undefined ? await embedded(config, logger, closers) : { url: config.redisUrl }
  const connections = createConnections(target, {
    prefix: config.redisPrefix,
    logger,
    idleTimeoutMs: longestSilenceMs(config),
  })
  closers.push(() => connections.close())
  const redis = await connections.forRequests()
  await checkRedisServer(redis, { ...config, logger })

  const keys = createKeys(config.redisPrefix)
  const keyMarker = createKeyMarker({ ...config, logger })
  await hasKeys(redis, keys, keyMarker)
  const clock = createClock({ redis, maxSkewMs: config.maxSkewMs, logger })
  await clock.start()
  closers.push(() => clock.stop())
  await observeServer({ redis, keys, graceMs: config.failoverGraceMs })
  const storeOptions = storeOptionsOf(config, clock)
  // WAIT holds up its connection, so the writes that it waits for have one of their own.
  const waits = config.role !== 'worker' && (config.waitReplicas > 0 || config.waitAof)
  const accepting = waits ? await connections.forRequests() : redis
  const store = createStore({ redis, acceptRedis: accepting, keys, ...storeOptions })
  const queues = createQueues({ redis, keys, names: queueNames })
  await queues.ready()
  closers.push(() => queues.close())
  const sandbox = createSandbox({
    mocks: mockUpstreams,
    providers: Object.values(providers),
    upstreams: config.upstreams,
    redis,
    prefix: config.redisPrefix,
    renderMs: config.sandboxRenderMs,
    now: clock.now,
  })
  closers.push(() => sandbox.close())
  if (config.sandbox) await sandbox.start()
  const connectToSandbox = sandbox.connect
  const transport = createTransport({ timeoutMs: config.upstreamTimeoutMs, connectToSandbox })
  closers.push(() => transport.close())
  const { upstreams } = config
  const media = await createMedia({
    config,
    redis,
    keys,
    transport,
    upstreams,
    connectToSandbox,
    logger,
  })
  closers.push(
    () => media.close(),
    () => media.retention.stop(),
    () => media.storage.stop(),
  )
  media.retention.start()
  await media.storage.start()
  const offers = createOffers({
    providers,
    upstreams: config.sandbox ? sandbox.upstreams : upstreams,
    links: media.hasPublicUrl,
    overrides: config.offersFile === undefined ? {} : readOverrides(config.offersFile, providers),
  })
  const leavesAlone = !config.sandbox && config.upstreamRetryMs > 0
  const rejectedKeys = leavesAlone
    ? createRejectedKeys({
        redis,
        keys,
        providers: Object.values(providers),
        upstreams,
        retryMs: config.upstreamRetryMs,
        logger,
        now: clock.now,
      })
    : undefined
  const { incomplete } = config
  const canRender = models.some(offers.available)
  const upstreamReport = createUpstreamReport({ canRender, incomplete, rejectedKeys })
  logUpstreams(upstreamReport, incomplete, (await rejectedKeys?.list()) ?? [], logger)
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
  const ready = async () => (await redis.ping().catch(() => '')) === 'PONG'
  return {
    config,
    logger,
    closers,
    connections,
    redis,
    keys,
    keyMarker,
    clock,
    store,
    storeOptions,
    confirmAccepted: waits ? barrierOf(config, keys, accepting, longestAcceptWaitMs) : undefined,
    queues,
    transport,
    upstreams,
    sandboxUpstreams: sandbox.upstreams,
    media,
    offers,
    rejectedKeys,
    upstreamReport,
    webhooks,
    ready,
  }
}

/** A claim of a task outlives every job that could be given the same task. */
const claimMarginMs = 86_400_000

/** Resolves when as many replicas as the operator asks for have what was written on this connection. */
export function barrierOf(
  { waitReplicas, waitReplicasMs, waitAof }: Config,
  keys: Keys,
  redis: Redis,
  longestMs = waitReplicasMs,
) {
  const timeoutMs = Math.min(waitReplicasMs, longestMs)
  return createReplicaBarrier({ redis, key: keys.barrier, replicas: waitReplicas, timeoutMs, aof: waitAof })
}

/** How long Redis may take for a reply before its connection is given up: longer than `WAIT` and BullMQ's blocking commands, which take 10 s. */
const longestSilenceMs = ({ waitReplicasMs }: Config) => Math.max(12_000, waitReplicasMs + 5000)

/** Less than a command of a request may take. */
const longestAcceptWaitMs = 1500

function storeOptionsOf(config: Config, { now }: Clock) {
  const claimMs = config.longestJobSeconds * 1000 + claimMarginMs
  return {
    keepMs: config.keepMs,
    claimMs,
    graceMs: config.failoverGraceMs,
    pollIntervalMs: pollIntervalMs(config.longestPollMs),
    recordMaxBytes: config.textLimits.recordMaxBytes,
    now,
  }
}

async function embedded(config: Config, logger: Logger, closers: Closers) {
  const keys = createKeys(config.redisPrefix)
  const server = await startEmbeddedRedis({
    dataDir: config.dataDir,
    logger,
    production: config.production,
    beforeShutdown: (redis) => markCleanShutdown(redis, keys),
  })
  closers.push(() => server.stop())
  return { path: server.path }
}
