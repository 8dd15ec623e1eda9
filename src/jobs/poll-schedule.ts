/** Minimum interval between two polls of a job, unless the operator's maximum is lower. */
const minIntervalMs = 1000

/** Minimum interval between two polls of a job, ms. */
export function shortestPollIntervalMs(maxPollIntervalMs: number): number {
  return Math.min(minIntervalMs, maxPollIntervalMs)
}

/**
 * The delay before the next poll. Polls are rare long before the expected end, frequent around it, and less frequent again the longer a render is
 * overdue. A render of 60 s takes six or seven polls, and its end is noticed within 4 s, even if the expected time is wrong by a fifth.
 */
export function nextPollDelayMs({ elapsedMs, renderMs, polls, maxDelayMs }: PollProgress): number {
  if (polls === 0) return clamp(renderMs * 0.4, maxDelayMs)
  const remainingMs = renderMs * 0.85 - elapsedMs
  if (remainingMs > 0) return clamp(Math.max(remainingMs * 0.9, renderMs * 0.06), maxDelayMs)
  return clamp(Math.max(renderMs * 0.06, (elapsedMs - renderMs) * 0.15), maxDelayMs)
}

/** The delay after a poll without a status: doubles each time, with the same limits. */
export function retryDelayMs(misses: number, maxDelayMs: number): number {
  return clamp(minIntervalMs * 2 ** Math.min(misses - 1, 4), maxDelayMs)
}

type PollProgress = {
  elapsedMs: number
  renderMs: number
  /** Number of polls so far. */
  polls: number
  maxDelayMs: number
}

/** Progress from 0 to 95, estimated from the elapsed time, for upstreams that report none. */
export function estimateProgress({ elapsedMs, renderMs }: { elapsedMs: number; renderMs: number }): number {
  return Math.floor(95 * (1 - Math.exp((-1.6 * elapsedMs) / Math.max(renderMs, 1))))
}

function clamp(delayMs: number, maxDelayMs: number): number {
  return Math.round(Math.min(Math.max(delayMs, minIntervalMs), maxDelayMs))
}
