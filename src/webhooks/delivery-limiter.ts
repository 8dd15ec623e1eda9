import { LRUCache } from 'lru-cache'

/** How many deliveries a process makes at once. */
export type DeliveryConcurrency = {
  all: number
  /** To destinations whose last delivery failed. */
  failing: number
  /** To one destination. */
  destination: number
}

/** To one destination whose last delivery failed. */
const maxToFailingDestination = 2
const maxRememberedFailures = 10_000
const minBackOffMs = 250
const maxBackOffMs = 60_000

export type DeliveryLimiter = ReturnType<typeof createDeliveryLimiter>

/**
 * Bounds how many deliveries one destination, one owner and all failing destinations together may keep waiting, so that the dead slow nobody
 * else. An owner may have as many places as are left over for the others: one alone takes half, two a third each, and there is always a place
 * for one more.
 */
export function createDeliveryLimiter(limits: DeliveryConcurrency) {
  const activeCounts = new Map<string, number>()
  /** Destination -> failures in a row. */
  const failing = new LRUCache<string, number>({ max: maxRememberedFailures })

  function addActive(counter: string, by: 1 | -1): void {
    const newCount = (activeCounts.get(counter) ?? 0) + by
    if (newCount === 0) activeCounts.delete(counter)
    else activeCounts.set(counter, newCount)
  }

  const activeCount = (counter: string) => activeCounts.get(counter) ?? 0

  /** Whether an owner has its share of the places. */
  const hasUsedShare = (group: string, owner: string, limit: number) =>
    activeCount(`${group} of ${owner}`) >= limit - activeCount(group)

  return {
    /** A place, to be left with how it went; or how long to stay away. */
    acquire(owner: string, url: string): { release(isDelivered: boolean): void } | { waitMs: number } {
      const destination = `to ${owner} ${url}`
      const failures = failing.get(destination) ?? 0
      const groups = failures > 0 ? ['all', 'failing'] : ['all']
      const counters = [destination, ...groups.flatMap((group) => [group, `${group} of ${owner}`])]
      const isFull =
        activeCount(destination) >=
          Math.min(limits.destination, failures > 0 ? maxToFailingDestination : Infinity) ||
        hasUsedShare('all', owner, limits.all) ||
        (failures > 0 && hasUsedShare('failing', owner, limits.failing))
      if (isFull) {
        const backOffMs = Math.min(minBackOffMs * 2 ** failures, maxBackOffMs)
        return { waitMs: backOffMs * (0.5 + Math.random()) }
      }
      for (const counter of counters) addActive(counter, 1)
      return {
        release(isDelivered) {
          for (const counter of counters) addActive(counter, -1)
          if (isDelivered) failing.delete(destination)
          else failing.set(destination, failures + 1)
        },
      }
    },
  }
}
