import type { Redis } from 'ioredis'
import type { Logger } from 'pino'

const syncEveryMs = 10_000
/** The time of a slower reply is too uncertain to be used, unless there is no other. */
const slowReplyMs = 500

export type Clock = ReturnType<typeof createClock>

type Options = {
  redis: Redis
  /** A machine whose own clock differs more from that of Redis takes no steps. */
  maxSkewMs: number
  logger: Pick<Logger, 'error' | 'info'>
  /** The machine's own clock, unix ms. */
  wallClock?: () => number
}

/**
 * The time of Redis (unix ms), which all processes share: deadlines are set by one machine and judged by another. Between two looks at Redis it
 * follows the monotonic clock, so that it does not see this machine's clock jump. It stands still where Redis is a little behind, and goes back only where Redis
 * is behind by more than `maxSkewMs`: it would stand still for as long as the clock of Redis was ahead.
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
        'The clock of this machine differs from that of Redis: this worker takes no steps until they agree. Check NTP on both',
      )
    else logger.info(details, 'The clocks of this machine and of Redis agree again: this worker takes steps')
    for (const listener of listeners) listener(isSkewed())
  }

  const onReady = () => void sync().catch(() => undefined)

  return {
    now,
    isSkewed,

    /** The time of Redis as this machine's own clock shows it, for timers of libraries that read that one. */
    toWallClock: (time: number) => time + skewMs,

    /** Rejects when Redis does not reply. */
    async start(): Promise<void> {
      await sync()
      redis.on('ready', onReady)
      timer = setInterval(onReady, syncEveryMs)
      timer.unref()
    },

    sync,

    /** Calls back when the clocks begin to differ too much, and when they agree again. */
    onSkew(listener: (skewed: boolean) => void): void {
      listeners.add(listener)
    },

    stop(): void {
      clearInterval(timer)
      redis.off('ready', onReady)
    },
  }
}
