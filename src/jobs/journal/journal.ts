import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import {
  applyLine,
  createJournalFiles,
  type JournalEntry,
  type JournalLine,
  type RememberedAttempt,
  type TaskReply,
} from './journal-files.ts'

/** A process starts a new file after this time, so that a file that no process writes to any more is recognized by its age. */
const fileMs = 3_600_000
/** Enough for the time that a Redis failover takes. */
const maxDiscarded = 10_000
/** The minimum interval between two searches of the files; each search looks for all lost replies. */
const searchIntervalMs = 2000

export type Journal = Awaited<ReturnType<typeof createJournal>>

type Options = { dir: string; keepMs: number; logger: Pick<Logger, 'error' | 'warn'>; now?: () => number }

/**
 * The attempts of all workers with the same DATA_DIR, on its disk. Redis may lose its latest writes (failover, power loss), and a purchase must not
 * be repeated then. Each process appends to its own files and reads all files. Memory holds only the attempts whose outcome Redis does not have.
 */
export async function createJournal({ dir, keepMs, logger, now = Date.now }: Options) {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const openAttempts = new Map<string, RememberedAttempt>()
  /** Attempt -> unix ms. All attempts that this process made, and those that were in the files when it started. */
  const madeAt = new Map<string, number>()
  const discarded = new Set<string>()
  let file: { handle: FileHandle; openedAt: number } | undefined
  let queuedLines: { text: string; resolve: () => void; reject: (cause: unknown) => void }[] = []
  let currentWrite: Promise<void> | undefined
  const files = createJournalFiles({ dir, logger })
  let pendingSearch: { ids: Set<string>; result: Promise<Map<string, RememberedAttempt>> } | undefined
  let searchedAt = Number.NEGATIVE_INFINITY

  async function deleteOld(): Promise<void> {
    const oldest = now() - keepMs
    for (const [id, entry] of openAttempts)
      if (entry !== 'discarded' && entry.attempt.at < oldest) openAttempts.delete(id)
    for (const [id, at] of madeAt) {
      if (at > oldest) break
      madeAt.delete(id)
    }
    // The clock of this machine may be wrong.
    const oldestFile = Math.min(Date.now(), now()) - keepMs - fileMs
    for (const { path, writtenAt } of await files.list())
      if (writtenAt < oldestFile) await rm(path, { force: true })
  }

  async function openCurrentFile(): Promise<FileHandle> {
    if (file !== undefined && Date.now() - file.openedAt < fileMs) return file.handle
    await file?.handle.close()
    file = undefined
    await deleteOld()
    const handle = await open(join(dir, `${process.pid}-${randomUUID()}.jsonl`), 'ax', 0o600)
    await syncFolder(dir)
    file = { handle, openedAt: Date.now() }
    return handle
  }

  /** One write and one sync for all queued lines. */
  async function writeAll(): Promise<void> {
    while (queuedLines.length > 0) {
      const batch = queuedLines
      queuedLines = []
      try {
        const handle = await openCurrentFile()
        await handle.appendFile(batch.map(({ text }) => text).join(''))
        await handle.datasync()
        for (const { resolve } of batch) resolve()
      } catch (cause) {
        logger.error({ err: cause, dir }, 'Attempt journal: not writable')
        // The file may end with an incomplete line.
        await file?.handle.close().catch(() => undefined)
        file = undefined
        for (const { reject } of batch) reject(cause)
      }
    }
    currentWrite = undefined
  }

  function append(line: JournalLine): Promise<void> {
    applyLine(line, openAttempts)
    if ('begin' in line) madeAt.set(line.begin.attempt.id, line.begin.attempt.at)
    if ('void' in line) {
      madeAt.delete(line.void)
      openAttempts.delete(line.void)
      discarded.add(line.void)
      const [oldest] = discarded
      if (discarded.size > maxDiscarded && oldest !== undefined) discarded.delete(oldest)
    }
    return new Promise((resolve, reject) => {
      queuedLines.push({ text: `${JSON.stringify(line)}\n`, resolve, reject })
      currentWrite ??= writeAll()
    })
  }

  /** One search of the files answers all calls that arrive before it starts. */
  function searchFor(id: string): Promise<Map<string, RememberedAttempt>> {
    if (pendingSearch === undefined) {
      const ids = new Set<string>()
      const delayMs = Math.max(0, searchedAt + searchIntervalMs - performance.now())
      const result = new Promise((resolve) => setTimeout(resolve, delayMs)).then(() => {
        pendingSearch = undefined
        searchedAt = performance.now()
        return files.list().then((all) =>
          files.readAttempts(
            all.map(({ path }) => path),
            (line) => [...ids].some((wanted) => line.includes(wanted)),
          ),
        )
      })
      pendingSearch = { ids, result }
    }
    pendingSearch.ids.add(id)
    return pendingSearch.result
  }

  await deleteOld()
  const oldestIndexed = now() - keepMs
  for (const { path } of (await files.list()).reverse())
    await files.forEachAttempt(path, (id, at) => {
      if (at > oldestIndexed) madeAt.set(id, at)
    })

  return {
    /** Resolves when the attempt is on disk. Make its call only then. */
    begin: (entry: Omit<JournalEntry, 'reply'>): Promise<void> => append({ begin: entry }),

    /** The upstream has a task. Never rejects: the reply is written to Redis as well. */
    storeReply: (id: string, reply: TaskReply): Promise<void> => append({ reply, id }).catch(() => undefined),

    /** The reply named a task of another job: the outcome of the attempt is unknown. Never rejects. */
    discardReply: (id: string): Promise<void> => append({ reply: null, id }).catch(() => undefined),

    /** The attempt certainly created no task. Never rejects. */
    discard: (id: string): Promise<void> => append({ void: id }).catch(() => undefined),

    /** Redis has the outcome. The files keep it, in case Redis loses it later. */
    markStored(id: string): void {
      openAttempts.delete(id)
    },

    /** Whether the attempt is one of this process, or was in the files when it started. */
    hasMade: (id: string): boolean => madeAt.has(id),

    /** Whether this process has discarded the attempt. */
    hasDiscarded: (id: string): boolean => discarded.has(id),

    /** An attempt whose outcome Redis does not have, including those of other processes. */
    async find(id: string): Promise<RememberedAttempt | undefined> {
      if (discarded.has(id)) return 'discarded'
      return openAttempts.get(id) ?? (await searchFor(id)).get(id)
    },

    /** All attempts whose intent another Redis server has, except those older than `keepMs`: file by file, the newest first. */
    async *listMadeElsewhere(server: string): AsyncGenerator<JournalEntry[]> {
      const ofServer = `"server":${JSON.stringify(server)}`
      const oldest = now() - keepMs
      for (const { path } of await files.list()) {
        const entries = await files.readAttempts([path], (line) => !line.includes(ofServer))
        yield [...entries.values()]
          .filter((entry) => entry !== 'discarded')
          .filter(({ attempt }) => attempt.at > oldest)
          .reverse()
      }
    },

    async close(): Promise<void> {
      await currentWrite
      await file?.handle.close()
      file = undefined
    },
  }
}

/** After a power loss, a new file exists only if its folder was synced too. */
async function syncFolder(dir: string): Promise<void> {
  const dirHandle = await open(dir, 'r')
  await dirHandle.sync().finally(() => dirHandle.close())
}
