const most = { destination: 8, failingDestination: 2, owner: 128, failing: 32 }
const mostRemembered = 10_000
const firstBackOffMs = 250
const longestBackOffMs = 60_000

export type Gate = ReturnType<typeof createGate>

/** Bounds how many deliveries one destination, one owner and all failing destinations together may keep waiting, so that the dead slow nobody else. */
export function createGate() {
  const busy = new Map<string, number>()
  /** Destination -> failures in a row. */
  const failing = new Map<string, number>()

  function count(name: string, by: 1 | -1): void {
    const next = (busy.get(name) ?? 0) + by
    if (next === 0) busy.delete(name)
    else busy.set(name, next)
  }

  const isFull = (name: string, limit: number) => (busy.get(name) ?? 0) >= limit

  return {
    /** A place, to be left with how it went; or how long to stay away. */
    enter(owner: string, url: string): { leave(well: boolean): void } | { waitMs: number } {
      const destination = `to ${owner} ${url}`
      const failures = failing.get(destination) ?? 0
      const names = [destination, `of ${owner}`, ...(failures > 0 ? ['failing'] : [])]
      const full =
        isFull(destination, failures > 0 ? most.failingDestination : most.destination) ||
        isFull(`of ${owner}`, most.owner) ||
        (failures > 0 && isFull('failing', most.failing))
      if (full) {
        const backOffMs = Math.min(firstBackOffMs * 2 ** failures, longestBackOffMs)
        return { waitMs: backOffMs * (0.5 + Math.random()) }
      }
      for (const name of names) count(name, 1)
      return {
        leave(well) {
          for (const name of names) count(name, -1)
          failing.delete(destination)
          if (!well) failing.set(destination, failures + 1)
          const [oldest] = failing.keys()
          if (failing.size > mostRemembered && oldest !== undefined) failing.delete(oldest)
        },
      }
    },
  }
}
