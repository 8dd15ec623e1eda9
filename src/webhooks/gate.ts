import { LRUCache } from 'lru-cache'

/** How many deliveries a process makes at once. */
export type GateLimits = {
  all: number
  /** To destinations whose last delivery failed. */
  failing: number
  /** To one destination. */
  destination: number
}

/** To one destination whose last delivery failed. */
const mostToFailing = 2
const mostRemembered = 10_000
const firstBackOffMs = 250
const longestBackOffMs = 60_000

export type Gate = ReturnType<typeof createGate>

/**
 * Bounds how many deliveries one destination, one owner and all failing destinations together may keep waiting, so that the dead slow nobody
 * else. An owner may have as many places as are left over for the others: one alone takes half, two a third each, and there is always a place
 * for one more.
 */
export function createGate(limits: GateLimits) {
  const busy = new Map<string, number>()
  /** Destination -> failures in a row. */
  const failing = new LRUCache<string, number>({ max: mostRemembered })

  function count(name: string, by: 1 | -1): void {
    const next = (busy.get(name) ?? 0) + by
    if (next === 0) busy.delete(name)
    else busy.set(name, next)
  }

  const busyAt = (name: string) => busy.get(name) ?? 0

  /** Whether an owner has its share of the places. */
  const hasShare = (group: string, owner: string, limit: number) =>
    busyAt(`${group} of ${owner}`) >= limit - busyAt(group)

  return {
    /** A place, to be left with how it went; or how long to stay away. */
    enter(owner: string, url: string): { leave(well: boolean): void } | { waitMs: number } {
      const destination = `to ${owner} ${url}`
      const failures = failing.get(destination) ?? 0
      const groups = failures > 0 ? ['all', 'failing'] : ['all']
      const names = [destination, ...groups.flatMap((group) => [group, `${group} of ${owner}`])]
      const full =
        busyAt(destination) >= Math.min(limits.destination, failures > 0 ? mostToFailing : Infinity) ||
        hasShare('all', owner, limits.all) ||
        (failures > 0 && hasShare('failing', owner, limits.failing))
      if (full) {
        const backOffMs = Math.min(firstBackOffMs * 2 ** failures, longestBackOffMs)
        return { waitMs: backOffMs * (0.5 + Math.random()) }
      }
      for (const name of names) count(name, 1)
      return {
        leave(well) {
          for (const name of names) count(name, -1)
          if (well) failing.delete(destination)
          else failing.set(destination, failures + 1)
        },
      }
    },
  }
}
