/** How many bytes are on their way to one upstream at once; a larger file goes alone. */
const bytesAtOnce = 32 * 1024 * 1024
/** A job that waits asks again after this long for each job before it, so that a long line costs little. */
const waitMs = { each: 250, longest: 10_000 }
/** A job that is so late, and as late again as it was told to wait, waits elsewhere, or not any more. */
const lateMs = 2000

export type UploadQueue = ReturnType<typeof createUploadQueue>

/**
 * Bounds what is uploaded to one upstream at once. Nobody waits inside: a step that is not let in ends and comes again, since the polls of the same
 * upstream need its slot. First come, first served.
 */
export function createUploadQueue({
  uploadsAtOnce,
  now = () => performance.now(),
}: {
  uploadsAtOnce: number
  now?: () => number
}) {
  /** Job -> when it is forgotten, in the order of their arrival. */
  const waiting = new Map<string, number>()
  let uploads = 0
  let bytes = 0

  function place(job: string): number {
    for (const [other, forgottenAt] of waiting) if (now() > forgottenAt) waiting.delete(other)
    const index = [...waiting.keys()].indexOf(job)
    return index === -1 ? waiting.size : index
  }

  return {
    /** `release` must be called when the upload is over. */
    enter(job: string, size: number): { release(): void } | { waitMs: number } {
      if (size === 0) return { release: () => undefined }
      const before = place(job)
      const fits = uploads === 0 || (uploads < uploadsAtOnce && bytes + size <= bytesAtOnce)
      if (before > 0 || !fits) {
        const ms = Math.min((before + 1) * waitMs.each, waitMs.longest)
        waiting.set(job, now() + 2 * ms + lateMs)
        return { waitMs: ms }
      }
      waiting.delete(job)
      uploads += 1
      bytes += size
      let released = false
      return {
        release() {
          if (released) return
          released = true
          uploads -= 1
          bytes -= size
        },
      }
    },
  }
}
