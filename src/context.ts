import { mkdir } from 'node:fs/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { providers } from '../providers/index.ts'
import type { ProviderName } from '../providers/provider.ts'
import { buildStatusBody } from './api/nanogpt/status-body.ts'
import { models } from './catalogue/models/index.ts'
import type { Config } from './config/config.ts'
import { type CloseSteps, connectRedis } from './connect-redis.ts'
import { shortestPollIntervalMs } from './jobs/poll-schedule.ts'
import { createQueues, deliveryQueue, webhookQueue } from './jobs/queues.ts'
import { lateResultQueue } from './jobs/steps/late-result.ts'
import { createJobStore } from './jobs/store/store.ts'
import { createMedia } from './media/media.ts'
import type { Clock } from './redis/clock.ts'
import type { Keys } from './redis/keys.ts'
import { createReplicaBarrier } from './redis/replicas.ts'
import { toSandboxUrl } from './sandbox/address.ts'
import { createSandbox } from './sandbox/sandbox.ts'
import { mockUpstreams } from './sandbox/upstreams/index.ts'
import { readOverrides } from './upstreams/overrides.ts'
import { createUpstreamReport, logUpstreams } from './upstreams/readiness.ts'
import { createRejectedKeys } from './upstreams/rejected-keys.ts'
import { createRouting } from './upstreams/routing.ts'
import { createTransport } from './upstreams/transport.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

export type Context = Awaited<ReturnType<typeof createContext>>

export const queueNames = [
  ...(Object.keys(providers) as ProviderName[]),
  deliveryQueue,
  lateResultQueue,
  webhookQueue,
]

/** The dependencies shared by API and workers. `closeSteps` receives a step for everything opened, even if this rejects. */
export async function createContext(config: Config, logger: Logger, closeSteps: CloseSteps) {
  await mkdir(config.dataDir, { recursive: true })
  const { connections, redis, keys, keyMarker, clock } = await connectRedis(config, logger, closeSteps)
  const storeOptions = buildStoreOptions(config, clock)
  // WAIT blocks its connection, so writes that wait for replicas have their own.
  const waitsForReplicas = config.role !== 'worker' && (config.waitReplicas > 0 || config.waitAof)
  const acceptRedis = waitsForReplicas ? await connections.forRequests() : redis
  const store = createJobStore({ redis, acceptRedis, keys, ...storeOptions })
  const queues = createQueues({ redis, keys, names: queueNames })
  await queues.waitUntilReady()
  closeSteps.push(() => queues.close())
  const sandbox = createSandbox({
    mocks: mockUpstreams,
    providers: Object.values(providers),
    upstreams: config.upstreams,
    redis,
    prefix: config.redisPrefix,
    renderMs: config.sandboxRenderMs,
    now: clock.now,
  })
  closeSteps.push(() => sandbox.close())
  if (config.sandbox) await sandbox.start()
  const sandboxConnection = { connect: sandbox.connect, toUrl: toSandboxUrl }
  const transport = createTransport({
    timeoutMs: config.upstreamTimeoutMs,
    sandbox: sandboxConnection,
  })
  closeSteps.push(() => transport.close())
  const { upstreams } = config
  const media = await createMedia({
    config,
    redis,
    keys,
    transport,
    upstreams,
    sandbox: sandboxConnection,
    logger,
  })
  closeSteps.push(
    () => media.close(),
    () => media.retention.stop(),
    () => media.storage.stop(),
  )
  media.retention.start()
  await media.storage.start()
  const routing = createRouting({
    providers,
    upstreams: config.sandbox ? sandbox.upstreams : upstreams,
    canFetchLinks: media.hasPublicUrl,
    overrides:
      config.upstreamOverridesFile === undefined
        ? {}
        : readOverrides(config.upstreamOverridesFile, providers),
  })
  const pausesRejectedKeys = !config.sandbox && config.upstreamRetryMs > 0
  const rejectedKeys = pausesRejectedKeys
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
  const { incompleteUpstreams } = config
  const canRender = models.some(routing.isAvailable)
  const upstreamReport = createUpstreamReport({ canRender, incompleteUpstreams, rejectedKeys })
  logUpstreams(upstreamReport, incompleteUpstreams, (await rejectedKeys?.list()) ?? [], logger)
  const webhooks = createWebhooks({
    redis,
    keys,
    store,
    queues,
    keepMs: config.keepMs,
    config: config.webhooks,
    buildStatus: (view, options) => buildStatusBody(view, { dialect: 'current', ...options }),
    logger,
  })
  closeSteps.push(() => webhooks.close())
  const isReady = async () => (await redis.ping().catch(() => '')) === 'PONG'
  return {
    config,
    logger,
    closers: closeSteps,
    connections,
    redis,
    keys,
    keyMarker,
    clock,
    store,
    storeOptions,
    confirmAccepted: waitsForReplicas ? createBarrier(config, keys, acceptRedis, maxAcceptWaitMs) : undefined,
    queues,
    transport,
    upstreams,
    sandboxUpstreams: sandbox.upstreams,
    media,
    routing,
    rejectedKeys,
    upstreamReport,
    webhooks,
    ready: isReady,
  }
}

/** The claim of a task outlives every job that could be given the same task by this margin. */
const claimMarginMs = 86_400_000

/** Waits until as many replicas as the operator requires have the writes of this connection. */
export function createBarrier(
  { waitReplicas, waitReplicasMs, waitAof }: Config,
  keys: Keys,
  redis: Redis,
  maxWaitMs = waitReplicasMs,
) {
  const timeoutMs = Math.min(waitReplicasMs, maxWaitMs)
  return createReplicaBarrier({ redis, key: keys.barrier, replicas: waitReplicas, timeoutMs, aof: waitAof })
}

/** Shorter than the timeout of a request's Redis command. */
const maxAcceptWaitMs = 1500

function buildStoreOptions(config: Config, { now }: Clock) {
  const claimMs = config.longestJobSeconds * 1000 + claimMarginMs
  return {
    keepMs: config.keepMs,
    claimMs,
    graceMs: config.failoverGraceMs,
    minPollIntervalMs: shortestPollIntervalMs(config.longestPollMs),
    recordMaxBytes: config.textLimits.recordMaxBytes,
    now,
  }
}
