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
      if (!isRedisFault(cause)) throw cause
      if (tries % triesPerLogLine === 1)
        logger.error({ err: cause, tries }, 'Redis does not take the reply to a purchase; trying again')
      await sleep(Math.min(firstRetryMs * 2 ** tries, maxRetryMs))
    }
  }
}

/** What Redis says of itself, also out of a script, where it stands behind other words. */
const redisRefusals =
  /\b(OOM|READONLY|NOREPLICAS|MISCONF|LOADING|MASTERDOWN|BUSY|TRYAGAIN|CLUSTERDOWN|NOAUTH|NOPERM|UNBLOCKED|IOERR)\b|can't (access|run)/

const connectionErrors =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Reached the max retries|Socket closed|None of the)/

/** Whether an error is a refusal of Redis or of the connection to it, rather than a bug. */
export function isRedisFault(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false
  if (cause.name === 'ReplyError') return redisRefusals.test(cause.message)
  if (['MaxRetriesPerRequestError', 'AbortError', 'ParserError'].includes(cause.name)) return true
  return ('code' in cause && 'syscall' in cause) || connectionErrors.test(cause.message)
}
