import { redactRedisArguments } from '../text/redact-text.ts'

/**
 * Redis cannot serve now: it cannot be reached, takes too long, or rejects commands for a reason of its own (out of memory, read-only, loading).
 * The connections for requests reject with it. Errors of our own commands and scripts stay what they are.
 */
export class RedisUnavailable extends Error {
  override name = 'RedisUnavailable'
  constructor(cause: Error) {
    super(`Redis is unavailable: ${redactRedisArguments(cause.message)}`, { cause })
  }
}

/**
 * Error codes of Redis that say nothing about the command itself. Errors inside a script carry them somewhere in the message. `TIMEOUT`: our own
 * script refused a command that arrived too late.
 */
const unavailableCodes =
  /\b(OOM|READONLY|NOREPLICAS|MISCONF|LOADING|MASTERDOWN|BUSY|TRYAGAIN|CLUSTERDOWN|NOAUTH|NOPERM|UNBLOCKED|IOERR|TIMEOUT)\b|can't (access|run)/

const connectionErrors =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Reached the max retries|Socket closed|None of the)/

/** Whether an error of a Redis client means that Redis cannot serve, rather than a bug. */
export function isRedisUnavailable(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false
  if (cause instanceof RedisUnavailable) return true
  // A transaction is aborted because of one of its commands.
  if ('previousErrors' in cause && Array.isArray(cause.previousErrors))
    return cause.previousErrors.some(isRedisUnavailable)
  if (cause.name === 'ReplyError') return unavailableCodes.test(cause.message)
  if (['MaxRetriesPerRequestError', 'AbortError', 'ParserError'].includes(cause.name)) return true
  return ('code' in cause && 'syscall' in cause) || connectionErrors.test(cause.message)
}

/** `RedisUnavailable` for an error that means it; every other error unchanged. */
export function toRedisError<Cause>(cause: Cause): Cause | RedisUnavailable {
  const isRaw = cause instanceof Error && !(cause instanceof RedisUnavailable)
  return isRaw && isRedisUnavailable(cause) ? new RedisUnavailable(cause) : cause
}

/** Whether a command that failed with this error may have been executed, or may be executed later. */
export function mayHaveRun(cause: unknown): boolean {
  const error = cause instanceof RedisUnavailable ? cause.cause : cause
  if (!(error instanceof Error)) return true
  return error.name !== 'ReplyError' && !error.message.includes('enableOfflineQueue')
}
