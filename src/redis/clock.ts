import type { Redis } from 'ioredis'
import type { Logger } from 'pino'

const syncEveryMs = 10_000
/** The time in a slower reply is too imprecise; it is used only for the first sync. */
const slowReplyMs = 500

export type Clock = ReturnType<typeof createClock>

type Options = {
  redis: Redis
  /** A worker whose own clock differs more from that of Redis takes no steps. */
  maxSkewMs: number
  logger: Pick<Logger, 'error' | 'info'>
  /** The machine's own clock, unix ms. */
  wallClock?: () => number
}

/**
 * The time of Redis (unix ms), which all processes share: one machine sets a deadline, another one checks it. Between two syncs it follows the monotonic
 * clock, so jumps of this machine's clock do not affect it. If Redis is slightly behind, it stops until Redis has caught up. If Redis is behind by more
 * than `maxSkewMs`, it goes back; otherwise it would stop for as long as the clock of Redis was ahead before.
 */
export function createClock({ redis, maxSkewMs, logger, wallClock = Date.now }: Options) {
  let base = { time: wallClock(), measuredAt: performance.now() }
  let latestMs = 0
  let skewMs = 0
  let isSynced = false
  let timer: NodeJS.Timeout | undefined
  const listeners = new Set<(skewed: boolean) => void>()

  const isSkewed = () => Math.abs(skewMs) > maxSkewMs

  function now(): number {
    latestMs = Math.max(latestMs, Math.round(base.time + performance.now() - base.measuredAt))
    return latestMs
  }

  async function sync(): Promise<void> {
    const sentAt = performance.now()
    const [seconds, microseconds] = await redis.time()
    const receivedAt = performance.now()
    if (isSynced && receivedAt - sentAt > slowReplyMs) return
    const wasSkewed = isSkewed()
    const time = Number(seconds) * 1000 + Number(microseconds) / 1000
    base = { time: time + (receivedAt - sentAt) / 2, measuredAt: receivedAt }
    if (!isSynced || latestMs - base.time > maxSkewMs) latestMs = 0
    isSynced = true
    skewMs = Math.round(wallClock() - base.time)
    if (wasSkewed !== isSkewed()) reportSkew()
  }

  function reportSkew(): void {
    const details = { skewSeconds: skewMs / 1000, maxSkewSeconds: maxSkewMs / 1000 }
    if (isSkewed())
      logger.error(
        details,
        'Clock skew: this machine and Redis differ too much, so this worker takes no steps. Check NTP on both',
      )
    else logger.info(details, 'Clock skew resolved: this worker takes steps again')
    for (const listener of listeners) listener(isSkewed())
  }

  const onReady = () => void sync().catch(() => undefined)

  return {
    now,
    isSkewed,

    /** Converts a time of Redis to this machine's own clock, for timers of libraries that use that one. */
    toWallClock: (time: number) => time + skewMs,

    /** Rejects when Redis does not reply. */
    async start(): Promise<void> {
      await sync()
      redis.on('ready', onReady)
      timer = setInterval(onReady, syncEveryMs)
      timer.unref()
    },

    sync,

    /** Calls the listener when the skew becomes too large, and when it is acceptable again. */
    onSkew(listener: (skewed: boolean) => void): void {
      listeners.add(listener)
    },

    stop(): void {
      clearInterval(timer)
      redis.off('ready', onReady)
    },
  }
}
