/** How many bytes are on their way to one upstream at once; a larger file goes alone. */
const maxConcurrentBytes = 32 * 1024 * 1024
/** A job that waits asks again after this long for each job before it, so that a long line costs little. */
const retryDelayMs = { perJob: 250, max: 10_000 }
/** A job that is this late, beyond the time that it was asked to wait, waits at another upstream or has ended. */
const graceMs = 2000

export type UploadQueue = ReturnType<typeof createUploadQueue>

/**
 * Limits the bytes that are uploaded to one upstream at the same time. No step waits here: a step without a place ends and is run again later, because
 * polls of the same upstream need its slot. First come, first served.
 */
export function createUploadQueue({
  maxConcurrentUploads,
  now = () => performance.now(),
}: {
  maxConcurrentUploads: number
  now?: () => number
}) {
  /** Job -> when it is forgotten, in the order of their arrival. */
  const waiting = new Map<string, number>()
  let activeUploads = 0
  let activeBytes = 0

  function positionOf(jobId: string): number {
    for (const [waitingId, forgottenAt] of waiting) if (now() > forgottenAt) waiting.delete(waitingId)
    const index = [...waiting.keys()].indexOf(jobId)
    return index === -1 ? waiting.size : index
  }

  return {
    /** `release` must be called when the upload is over. */
    tryEnter(jobId: string, sizeBytes: number): { release(): void } | { waitMs: number } {
      if (sizeBytes === 0) return { release: () => undefined }
      const jobsBefore = positionOf(jobId)
      const fits =
        activeUploads === 0 ||
        (activeUploads < maxConcurrentUploads && activeBytes + sizeBytes <= maxConcurrentBytes)
      if (jobsBefore > 0 || !fits) {
        const delayMs = Math.min((jobsBefore + 1) * retryDelayMs.perJob, retryDelayMs.max)
        waiting.set(jobId, now() + 2 * delayMs + graceMs)
        return { waitMs: delayMs }
      }
      waiting.delete(jobId)
      activeUploads += 1
      activeBytes += sizeBytes
      let isReleased = false
      return {
        release() {
          if (isReleased) return
          isReleased = true
          activeUploads -= 1
          activeBytes -= sizeBytes
        },
      }
    },
  }
}
