import type { Logger } from 'pino'
import { type Library, libraryFolder } from './inputs/library.ts'
import { type Results, resultsFolder } from './results/results.ts'
import { thumbnailsFolder } from './results/thumbnails.ts'
import type { FileStore } from './storage/file-store.ts'
import { StorageUnavailable } from './storage/storage-fault.ts'
import type { TempDir } from './storage/temp-dir.ts'

/** No job is under way for so long. */
export const inputRetentionMs = 2 * 86_400_000
/** Nothing in the scratch folder is silent for so long while somebody writes it. */
const tempFileIdleMs = 3_600_000
const sweepEveryMs = 600_000

type Deps = {
  store: FileStore
  tempDir: TempDir
  results: Results
  library: Library
  resultsKeptMs: number
  logger: Logger
}

/** Removes what has had its time: half files, inputs of jobs, attachments without a record, results and their pictures. */
export function createRetention({ store, tempDir, results, library, resultsKeptMs, logger }: Deps) {
  let timer: NodeJS.Timeout | undefined
  let currentSweep: Promise<unknown> = Promise.resolve()
  let isStopped = false
  let hasWarnedOfListing = false

  /** Credentials that may not list the bucket leave its old files to a lifecycle rule of the operator's. */
  async function* listFolder(folder: string) {
    try {
      yield* store.list(folder)
    } catch (cause) {
      if (!(cause instanceof StorageUnavailable) || !cause.isForbidden) throw cause
      if (!hasWarnedOfListing)
        logger.warn({ err: cause }, 'The bucket may not be listed (s3:ListBucket): old files are not removed')
      hasWarnedOfListing = true
    }
  }

  async function removeOlder(
    folder: string,
    storedBefore: number,
    remove: (name: string, file: string) => Promise<unknown>,
  ): Promise<void> {
    for await (const { name, storedAt } of listFolder(folder)) {
      if (storedAt < storedBefore) await remove(name, name.slice(folder.length + 1))
    }
  }

  async function sweep(now = Date.now()): Promise<void> {
    const partialFiles = await tempDir.removeIdle(tempFileIdleMs, now)
    if (partialFiles > 0) logger.info({ files: partialFiles }, 'half files removed')
    await removeOlder('inputs', now - inputRetentionMs, (name) => store.remove(name))
    await removeOlder(resultsFolder, now - resultsKeptMs, (_, file) => results.remove(file))
    await removeOlder(thumbnailsFolder, now - resultsKeptMs, (name) => store.remove(name))
    await removeOlder(libraryFolder, now - tempFileIdleMs, async (name, file) => {
      if (!(await library.exists(file))) await store.remove(name)
    })
  }

  function scheduleSweep(afterMs: number): void {
    if (isStopped) return
    timer = setTimeout(() => {
      currentSweep = sweep()
        .catch((cause: unknown) => logger.warn({ err: cause }, 'old files could not be removed'))
        .finally(() => scheduleSweep(sweepEveryMs))
    }, afterMs)
    timer.unref()
  }

  return {
    sweep,
    start: () => scheduleSweep(1000),
    /** Ends after the sweep under way. */
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await currentSweep
    },
  }
}
