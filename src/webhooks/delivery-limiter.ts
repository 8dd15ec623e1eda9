import { LRUCache } from 'lru-cache'

/** The most concurrent deliveries of a process. */
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
 * Limits the concurrent deliveries per destination, per owner and for all failing destinations, so that unresponsive destinations do not delay
 * others. An owner may use as many slots as remain free: one owner alone uses half, two use a third each, and a slot is always left for one
 * more.
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

  /** Whether an owner uses its whole share of the slots. */
  const hasUsedShare = (group: string, owner: string, limit: number) =>
    activeCount(`${group} of ${owner}`) >= limit - activeCount(group)

  return {
    /** Returns a slot, to be released with the outcome, or the time to wait before the next attempt. */
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
