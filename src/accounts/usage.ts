import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import { dayOf, toUsd } from './money.ts'

/** What one account did with one model on one day (UTC). A job counts on the day it was accepted. */
export type UsageRow = {
  day: string
  key: string
  model: string
  /** Jobs that mock upstreams rendered, which cost nothing. They have a row of their own. */
  sandbox?: true
  jobs: number
  succeeded: number
  failed: number
  canceled: number
  usd: number
}

const dayMs = 86_400_000

/** Reads the counters that the scripts keep. */
export function createUsage({ redis, keys }: { redis: Redis; keys: Keys }) {
  /** The last days of these accounts, today included, newest first. */
  return async function usage(ids: readonly string[], days: number, now = Date.now()): Promise<UsageRow[]> {
    const dates = Array.from({ length: days }, (_, ago) => dayOf(now - ago * dayMs))
    const cells = dates.flatMap((day) => ids.map((key) => ({ day, key })))
    const pages = await Promise.all(
      cells.map(async (cell) => rowsOf(cell, await redis.hgetall(keys.usage(cell.key, cell.day)))),
    )
    return pages.flat()
  }
}

function rowsOf(cell: { day: string; key: string }, counters: Readonly<Record<string, string>>): UsageRow[] {
  // `<model>|<what>`, or `<model>|sandbox|<what>`.
  const names = Object.keys(counters).filter((name) => name.includes('|'))
  const kinds = new Set(names.map((name) => name.slice(0, name.lastIndexOf('|'))))
  return [...kinds].sort().map((kind) => {
    const [model = '', sandbox] = kind.split('|')
    const count = (what: string) => Number(counters[`${kind}|${what}`] ?? 0)
    return {
      ...cell,
      model,
      ...(sandbox !== undefined && { sandbox: true as const }),
      jobs: count('jobs'),
      succeeded: count('succeeded'),
      failed: count('failed'),
      canceled: count('canceled'),
      usd: toUsd(count('micros')),
    }
  })
}
