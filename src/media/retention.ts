import type { Logger } from 'pino'
import { type Library, libraryFolder } from './library.ts'
import { type Results, resultsFolder } from './results.ts'
import type { Scratch } from './scratch.ts'
import { stillsFolder } from './stills.ts'
import { StorageUnavailable } from './storage-fault.ts'
import type { FileStore } from './store.ts'

/** No job is under way for so long. */
export const inputsKeptMs = 2 * 86_400_000
/** Nothing in the scratch folder is silent for so long while somebody writes it. */
const scratchIdleMs = 3_600_000
const everyMs = 600_000

type Parts = {
  store: FileStore
  scratch: Scratch
  results: Results
  library: Library
  resultsKeptMs: number
  logger: Logger
}

/** Removes what has had its time: half files, inputs of jobs, attachments without a record, results and their pictures. */
export function createRetention({ store, scratch, results, library, resultsKeptMs, logger }: Parts) {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let stopped = false
  let warnedOfListing = false

  /** Credentials that may not list the bucket leave its old files to a lifecycle rule of the operator's. */
  async function* listed(folder: string) {
    try {
      yield* store.list(folder)
    } catch (cause) {
      if (!(cause instanceof StorageUnavailable) || !cause.isForbidden) throw cause
      if (!warnedOfListing)
        logger.warn({ err: cause }, 'The bucket may not be listed (s3:ListBucket): old files are not removed')
      warnedOfListing = true
    }
  }

  async function each(
    folder: string,
    olderThan: number,
    remove: (name: string, file: string) => Promise<unknown>,
  ): Promise<void> {
    for await (const { name, storedAt } of listed(folder)) {
      if (storedAt < olderThan) await remove(name, name.slice(folder.length + 1))
    }
  }

  async function sweep(now = Date.now()): Promise<void> {
    const halves = await scratch.sweep(scratchIdleMs, now)
    if (halves > 0) logger.info({ files: halves }, 'half files removed')
    await each('inputs', now - inputsKeptMs, (name) => store.remove(name))
    await each(resultsFolder, now - resultsKeptMs, (_, file) => results.forget(file))
    await each(stillsFolder, now - resultsKeptMs, (name) => store.remove(name))
    await each(libraryFolder, now - scratchIdleMs, async (name, file) => {
      if (!(await library.has(file))) await store.remove(name)
    })
  }

  function again(afterMs: number): void {
    if (stopped) return
    timer = setTimeout(() => {
      running = sweep()
        .catch((cause: unknown) => logger.warn({ err: cause }, 'old files could not be removed'))
        .finally(() => again(everyMs))
    }, afterMs)
    timer.unref()
  }

  return {
    sweep,
    start: () => again(1000),
    /** Ends after the sweep under way. */
    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
