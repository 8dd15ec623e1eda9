/** Money is counted in whole micro-dollars, so that sums are exact. USD is used in the API only. */
export function toMicros(usd: number): number {
  return Math.round(usd * 1e6)
}

export function toUsd(micros: number): number {
  return micros / 1e6
}

/** Whether an amount rounds to zero micro-dollars. */
export function isZeroUsd(usd: number): boolean {
  return Math.abs(toMicros(usd)) === 0
}

/** The price for a client, given our cost `usd`. Rounded up to whole micro-dollars. */
export function withMarkup(usd: number, percent: number): number {
  const microHundredths = Math.round(usd * (100 + percent) * 1e6)
  return Math.ceil(microHundredths / 100) / 1e6
}

const dayMs = 86_400_000

/** The UTC day, as `2026-11-23`. */
export function utcDayOf(unixMs: number): string {
  const dayNumber = Math.floor(unixMs / dayMs)
  if (cachedDay.dayNumber !== dayNumber)
    cachedDay = { dayNumber, name: new Date(unixMs).toISOString().slice(0, 10) }
  return cachedDay.name
}

/** Most calls are about the current day, and there are several per request. */
let cachedDay = { dayNumber: Number.NaN, name: '' }

/** Seconds until the daily limits reset, at 00:00 UTC. */
export function secondsUntilUtcMidnight(unixMs: number): number {
  return Math.ceil((dayMs - (unixMs % dayMs)) / 1000)
}

/** How long movements and counters are kept. */
export const ledgerRetentionMs = 400 * dayMs
