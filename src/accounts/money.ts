/** Money is counted in whole micro-dollars, so that no sum drifts; USD only appear where people read them. */
export function toMicros(usd: number): number {
  return Math.round(usd * 1e6)
}

export function toUsd(micros: number): number {
  return micros / 1e6
}

/** Whether an amount is none, counted in whole micro-dollars. */
export function isZeroUsd(usd: number): boolean {
  return Math.abs(toMicros(usd)) === 0
}

/** What a client pays for what costs us `usd`: the markup on top, a started micro-dollar in full. */
export function withMarkup(usd: number, percent: number): number {
  const microHundredths = Math.round(usd * (100 + percent) * 1e6)
  return Math.ceil(microHundredths / 100) / 1e6
}

const dayMs = 86_400_000

/** `2026-11-23`: the day, in UTC, on which something counts. */
export function utcDayOf(unixMs: number): string {
  const dayNumber = Math.floor(unixMs / dayMs)
  if (cachedDay.dayNumber !== dayNumber)
    cachedDay = { dayNumber, name: new Date(unixMs).toISOString().slice(0, 10) }
  return cachedDay.name
}

/** Nearly always the same one is asked for, several times a request. */
let cachedDay = { dayNumber: Number.NaN, name: '' }

/** Until the daily limits begin anew, at 00:00 UTC. */
export function secondsUntilUtcMidnight(unixMs: number): number {
  return Math.ceil((dayMs - (unixMs % dayMs)) / 1000)
}

/** How long movements and counters are kept. */
export const ledgerRetentionMs = 400 * dayMs
