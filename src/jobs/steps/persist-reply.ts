import { isRedisUnavailable } from '../../redis/redis-unavailable.ts'
import type { StepDeps } from './deps.ts'

const firstRetryMs = 50
const maxRetryMs = 500
const triesPerLogLine = 60

/**
 * Does what writes a reply that was paid for, again and again while Redis refuses it (out of memory, read-only, no replicas, a failed snapshot) or
 * cannot be reached; also while the process shuts down. What is no fault of Redis is thrown. `write` may be executed more than once.
 */
export async function persistReply<T>(
  { logger, sleep }: Pick<StepDeps, 'logger' | 'sleep'>,
  write: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write()
    } catch (cause) {
      if (!isRedisUnavailable(cause)) throw cause
      if (tries % triesPerLogLine === 1)
        logger.error({ err: cause, tries }, 'Reply to a purchase not stored yet; retrying')
      await sleep(Math.min(firstRetryMs * 2 ** tries, maxRetryMs))
    }
  }
}
