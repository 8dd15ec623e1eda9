/** Thrown when too many downloads are under way: the job tries again soon, and nothing counts as a failure. */
export class DownloadsBusy extends Error {
  override name = 'DownloadsBusy'
  /** When to try again: later, the more are waiting. */
  readonly retryMs: number
  constructor(host: string, retryMs: number) {
    super(`too many downloads from ${host} are under way`)
    this.retryMs = retryMs
  }
}

const shortestRetryMs = 1000
const longestRetryMs = 20_000
/** For each job that was turned away in the last second. */
const retryMsPerJob = 20

export type DownloadSlots = ReturnType<typeof createDownloadSlots>

/**
 * Bounds the downloads of this process, in all and from each host, so that files that do not come hold up nobody else's. Repeated
 * attempts get at most half of a host's slots: the other half is for files that have not failed yet.
 */
export function createDownloadSlots({ total, perHost }: { total: number; perHost: number }) {
  const hosts = new Map<string, { all: number; repeated: number }>()
  let all = 0
  let turnedAway = { second: 0, jobs: 0, before: 0 }

  function busy(host: string): DownloadsBusy {
    const second = Math.floor(performance.now() / 1000)
    if (second > turnedAway.second) turnedAway = { second, jobs: 0, before: turnedAway.jobs }
    turnedAway.jobs += 1
    const waiting = Math.max(turnedAway.jobs, turnedAway.before)
    return new DownloadsBusy(host, Math.min(shortestRetryMs + waiting * retryMsPerJob, longestRetryMs))
  }

  return {
    /** Throws `DownloadsBusy`, or returns how to give the slot back. */
    take(host: string, isRepeated: boolean): () => void {
      const used = hosts.get(host) ?? { all: 0, repeated: 0 }
      const isFull =
        all >= total ||
        used.all >= perHost ||
        (isRepeated && used.repeated >= Math.max(1, Math.floor(perHost / 2)))
      if (isFull) throw busy(host)
      const change = (by: 1 | -1) => {
        all += by
        used.all += by
        if (isRepeated) used.repeated += by
        if (used.all === 0) hosts.delete(host)
        else hosts.set(host, used)
      }
      change(1)
      let isTaken = true
      return () => {
        if (isTaken) change(-1)
        isTaken = false
      }
    },
  }
}
