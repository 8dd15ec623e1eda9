import type { Logger } from 'pino'
import { hasKeys } from './accounts/authenticator.ts'
import { createKeyMarker } from './accounts/key-marker.ts'
import type { Config } from './config/config.ts'
import { markCleanShutdown, observeRedisServer } from './jobs/store/epoch.ts'
import { checkRedisServer } from './redis/check-server.ts'
import { createClock } from './redis/clock.ts'
import { createConnections } from './redis/connections.ts'
import { startEmbeddedRedis } from './redis/embedded.ts'
import { createKeys, type Keys } from './redis/keys.ts'

/** Functions that close what was opened, oldest first. */
export type CloseSteps = (() => unknown)[]

/** Connects to the configured Redis or to an embedded one, and checks that this gateway can use it. */
export async function connectRedis(config: Config, logger: Logger, closeSteps: CloseSteps) {
  const keys = createKeys(config.redisPrefix)
  const target =
    config.redisUrl === undefined
      ? await startEmbedded(config, keys, logger, closeSteps)
      : { url: config.redisUrl }
  const connections = createConnections(target, {
    prefix: config.redisPrefix,
    logger,
    idleTimeoutMs: replyTimeoutMs(config),
  })
  closeSteps.push(() => connections.close())
  const redis = await connections.forRequests()
  await checkRedisServer(redis, { ...config, logger })

  const keyMarker = createKeyMarker({ ...config, logger })
  await hasKeys(redis, keys, keyMarker)
  const clock = createClock({ redis, maxSkewMs: config.maxSkewMs, logger })
  await clock.start()
  closeSteps.push(() => clock.stop())
  await observeRedisServer({ redis, keys, graceMs: config.failoverGraceMs })
  return { connections, redis, keys, keyMarker, clock }
}

/** After this time without a reply, a connection is closed. Longer than `WAIT` and BullMQ's blocking commands, which take 10 s. */
const replyTimeoutMs = ({ waitReplicasMs }: Config) => Math.max(12_000, waitReplicasMs + 5000)

async function startEmbedded(config: Config, keys: Keys, logger: Logger, closeSteps: CloseSteps) {
  const redisServer = await startEmbeddedRedis({
    dataDir: config.dataDir,
    logger,
    production: config.production,
    beforeShutdown: (redis) => markCleanShutdown(redis, keys),
  })
  closeSteps.push(() => redisServer.stop())
  return { path: redisServer.path }
}
