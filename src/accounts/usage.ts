import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import { toUsd, utcDayOf } from './money.ts'

/** The usage of one model by one account on one day (UTC). A job counts on the day it was accepted. */
export type UsageRow = {
  day: string
  key: string
  model: string
  /** Jobs of the sandbox, which are free. They have separate rows. */
  sandbox?: true
  jobs: number
  succeeded: number
  failed: number
  canceled: number
  usd: number
}

const dayMs = 86_400_000

/** Reads the counters that the scripts write. */
export function createUsageReader({ redis, keys }: { redis: Redis; keys: Keys }) {
  /** The usage of these accounts on the last days, today included, newest first. */
  return async function readUsage(
    accountIds: readonly string[],
    days: number,
    now = Date.now(),
  ): Promise<UsageRow[]> {
    const dates = Array.from({ length: days }, (_, daysAgo) => utcDayOf(now - daysAgo * dayMs))
    const dayAndKeys = dates.flatMap((day) => accountIds.map((key) => ({ day, key })))
    const rowGroups = await Promise.all(
      dayAndKeys.map(async (dayAndKey) =>
        readRows(dayAndKey, await redis.hgetall(keys.usage(dayAndKey.key, dayAndKey.day))),
      ),
    )
    return rowGroups.flat()
  }
}

function readRows(
  dayAndKey: { day: string; key: string },
  counters: Readonly<Record<string, string>>,
): UsageRow[] {
  // `<model>|<counter>`, or `<model>|sandbox|<counter>`.
  const counterNames = Object.keys(counters).filter((name) => name.includes('|'))
  const groups = new Set(counterNames.map((name) => name.slice(0, name.lastIndexOf('|'))))
  return [...groups].sort().map((group) => {
    const [model = '', sandbox] = group.split('|')
    const counterOf = (counter: string) => Number(counters[`${group}|${counter}`] ?? 0)
    return {
      ...dayAndKey,
      model,
      ...(sandbox !== undefined && { sandbox: true as const }),
      jobs: counterOf('jobs'),
      succeeded: counterOf('succeeded'),
      failed: counterOf('failed'),
      canceled: counterOf('canceled'),
      usd: toUsd(counterOf('micros')),
    }
  })
}
