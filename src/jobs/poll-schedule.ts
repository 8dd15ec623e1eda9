/** Polls of one job are at least this far apart, unless the operator's upper bound is lower. */
const shortestMs = 1000

/** How far polls of one job are apart at least, ms. */
export function pollIntervalMs(longestPollMs: number): number {
  return Math.min(shortestMs, longestPollMs)
}

/**
 * When to ask next. Long before the usual time there is little to learn, so the first polls lie far apart; around it they lie close
 * together, and thin out again the longer a render is overdue. For a render of 60 s: six or seven polls, noticed within 4 s, also where
 * the usual time is a fifth off.
 */
export function nextPollMs({ elapsedMs, usualMs, polls, longestMs }: Polled): number {
  if (polls === 0) return clamp(usualMs * 0.4, longestMs)
  const remaining = usualMs * 0.85 - elapsedMs
  if (remaining > 0) return clamp(Math.max(remaining * 0.9, usualMs * 0.06), longestMs)
  return clamp(Math.max(usualMs * 0.06, (elapsedMs - usualMs) * 0.15), longestMs)
}

/** After a poll that told nothing: doubling, with the same bounds. */
export function nextTryMs(misses: number, longestMs: number): number {
  return clamp(shortestMs * 2 ** Math.min(misses - 1, 4), longestMs)
}

type Polled = {
  elapsedMs: number
  usualMs: number
  /** How often it has been asked already. */
  polls: number
  longestMs: number
}

/** 0 to 99 from the clock alone, for upstreams that tell no progress: never reaches the end by itself. */
export function guessProgress({ elapsedMs, usualMs }: { elapsedMs: number; usualMs: number }): number {
  return Math.floor(95 * (1 - Math.exp((-1.6 * elapsedMs) / Math.max(usualMs, 1))))
}

function clamp(ms: number, longestMs: number): number {
  return Math.round(Math.min(Math.max(ms, shortestMs), longestMs))
}
