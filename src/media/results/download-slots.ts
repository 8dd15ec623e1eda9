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

const minRetryMs = 1000
const maxRetryMs = 20_000
/** For each job that was turned away in the last second. */
const retryMsPerRejectedJob = 20

export type DownloadSlots = ReturnType<typeof createDownloadSlots>

/**
 * Limits the downloads of this process, in total and per host, so that stalled downloads do not block others. Retries get at most half
 * of a host's slots: the other half is for files that have not failed yet.
 */
export function createDownloadSlots({ total, perHost }: { total: number; perHost: number }) {
  const hosts = new Map<string, { total: number; repeated: number }>()
  let takenTotal = 0
  let rejected = { second: 0, jobs: 0, previousJobs: 0 }

  function createBusyError(host: string): DownloadsBusy {
    const currentSecond = Math.floor(performance.now() / 1000)
    if (currentSecond > rejected.second)
      rejected = { second: currentSecond, jobs: 0, previousJobs: rejected.jobs }
    rejected.jobs += 1
    const waitingJobs = Math.max(rejected.jobs, rejected.previousJobs)
    return new DownloadsBusy(host, Math.min(minRetryMs + waitingJobs * retryMsPerRejectedJob, maxRetryMs))
  }

  return {
    /** Throws `DownloadsBusy`, or returns how to give the slot back. */
    take(host: string, isRepeated: boolean): () => void {
      const hostSlots = hosts.get(host) ?? { total: 0, repeated: 0 }
      const isFull =
        takenTotal >= total ||
        hostSlots.total >= perHost ||
        (isRepeated && hostSlots.repeated >= Math.max(1, Math.floor(perHost / 2)))
      if (isFull) throw createBusyError(host)
      const changeCounts = (delta: 1 | -1) => {
        takenTotal += delta
        hostSlots.total += delta
        if (isRepeated) hostSlots.repeated += delta
        if (hostSlots.total === 0) hosts.delete(host)
        else hosts.set(host, hostSlots)
      }
      changeCounts(1)
      let isTaken = true
      return () => {
        if (isTaken) changeCounts(-1)
        isTaken = false
      }
    },
  }
}
