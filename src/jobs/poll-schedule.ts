/** Polls of one job are at least this far apart, unless the operator's upper bound is lower. */
const minIntervalMs = 1000

/** How far polls of one job are apart at least, ms. */
export function shortestPollIntervalMs(maxPollIntervalMs: number): number {
  return Math.min(minIntervalMs, maxPollIntervalMs)
}

/**
 * When to ask next. Long before the usual time there is little to learn, so the first polls lie far apart; around it they lie close
 * together, and thin out again the longer a render is overdue. For a render of 60 s: six or seven polls, noticed within 4 s, also where
 * the usual time is a fifth off.
 */
export function nextPollDelayMs({ elapsedMs, renderMs, polls, maxDelayMs }: PollProgress): number {
  if (polls === 0) return clamp(renderMs * 0.4, maxDelayMs)
  const remainingMs = renderMs * 0.85 - elapsedMs
  if (remainingMs > 0) return clamp(Math.max(remainingMs * 0.9, renderMs * 0.06), maxDelayMs)
  return clamp(Math.max(renderMs * 0.06, (elapsedMs - renderMs) * 0.15), maxDelayMs)
}

/** After a poll that told nothing: doubling, with the same bounds. */
export function retryDelayMs(misses: number, maxDelayMs: number): number {
  return clamp(minIntervalMs * 2 ** Math.min(misses - 1, 4), maxDelayMs)
}

type PollProgress = {
  elapsedMs: number
  renderMs: number
  /** How often it has been asked already. */
  polls: number
  maxDelayMs: number
}

/** 0 to 99 from the clock alone, for upstreams that tell no progress: never reaches the end by itself. */
export function estimateProgress({ elapsedMs, renderMs }: { elapsedMs: number; renderMs: number }): number {
  return Math.floor(95 * (1 - Math.exp((-1.6 * elapsedMs) / Math.max(renderMs, 1))))
}

function clamp(delayMs: number, maxDelayMs: number): number {
  return Math.round(Math.min(Math.max(delayMs, minIntervalMs), maxDelayMs))
}
