import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Outcome } from '../../../providers/provider.ts'
import type { UploadedLinks } from '../../media/inputs/upload-inputs.ts'
import type { Attempt } from '../job.ts'
import { readWholeLines } from './journal-lines.ts'

/** An attempt as its worker remembers it, whatever becomes of Redis. */
export type JournalEntry = {
  job: string
  attempt: Attempt
  /** The how manieth attempt of the job it is, from 1. */
  number: number
  /** Links of uploaded inputs, by which a task is recognized in an upstream's list. */
  handed: UploadedLinks
  /** The Redis server (`run_id`) that has the intent. Another one may never have got it. */
  server: string
  /** What the upstream replied; absent: no reply is known. */
  reply?: TaskReply
}

/** A reply that says: there is a task. */
export type TaskReply = Extract<Outcome, { kind: 'running' | 'done' }>

/** One line of a file: an attempt, what was replied to it (`null`: that was another job's reply), or that certainly no task came of it. */
type JournalLine =
  | { begin: Omit<JournalEntry, 'reply'> }
  | { reply: TaskReply | null; id: string }
  | { void: string }

/** The id and the time of an attempt, in the line that begins it. */
const beginLine = /^\{"begin":.*?"attempt":\{"id":"([^"]+)",.*?"at":(\d+)/
/** The id at the end of a line that is no `begin`. */
const closingId = /"(?:id|void)":"([^"]+)"\}$/

/** Another file is begun after this long, so that a file that nobody writes to any more can be told by its age. */
const fileMs = 3_600_000
/** Enough for the moment in which another server takes over. */
const maxDiscarded = 10_000
/** Lost replies are looked for in the files no more often than this, all at once. */
const searchEveryMs = 2000

/** Certainly no task came of the attempt. */
type RememberedAttempt = JournalEntry | 'discarded'

export type Journal = Awaited<ReturnType<typeof createJournal>>

type Options = { dir: string; keepMs: number; logger: Pick<Logger, 'error' | 'warn'>; now?: () => number }

/**
 * The attempts of the workers of one DATA_DIR, on its disk: Redis may lose its latest writes (a failover, a power cut), and a purchase must not be
 * repeated then. Each process appends to files of its own and reads those of all. In memory are only the attempts whose outcome Redis does not have.
 */
export async function createJournal({ dir, keepMs, logger, now = Date.now }: Options) {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const openAttempts = new Map<string, RememberedAttempt>()
  /** Every attempt of this machine that was made before this process began or by it, and when (unix ms). */
  const madeAt = new Map<string, number>()
  const discarded = new Set<string>()
  let file: { handle: FileHandle; openedAt: number } | undefined
  let queuedLines: { text: string; resolve: () => void; reject: (cause: unknown) => void }[] = []
  let currentWrite: Promise<void> | undefined
  let pendingSearch: { ids: Set<string>; found: Promise<Map<string, RememberedAttempt>> } | undefined
  let searchedAt = Number.NEGATIVE_INFINITY

  function apply(line: JournalLine, entries: Map<string, RememberedAttempt>): void {
    if ('begin' in line) entries.set(line.begin.attempt.id, line.begin)
    else if ('void' in line) entries.set(line.void, 'discarded')
    else {
      const entry = entries.get(line.id)
      if (entry === undefined || entry === 'discarded') return
      const { reply: _, ...attempt } = entry
      entries.set(line.id, { ...attempt, ...(line.reply && { reply: line.reply }) })
    }
  }

  /** Newest first, by when they were written to. */
  async function listFiles(): Promise<{ path: string; writtenAt: number }[]> {
    const writtenFiles: { path: string; writtenAt: number }[] = []
    for (const name of await readdir(dir)) {
      const path = join(dir, name)
      const stats = await stat(path).catch(() => undefined)
      if (stats?.isFile() === true) writtenFiles.push({ path, writtenAt: stats.mtimeMs })
    }
    return writtenFiles.sort((a, b) => b.writtenAt - a.writtenAt)
  }

  async function forEachLine(path: string, onLine: (text: string) => void): Promise<void> {
    try {
      for await (const text of readWholeLines(path)) onLine(text)
    } catch (cause) {
      logger.warn({ path, err: cause }, 'A file of the attempt journal cannot be read')
    }
  }

  /** A few bytes for each attempt, so that no step has to look into the files. */
  async function indexMadeAttempts(): Promise<void> {
    const oldest = now() - keepMs
    for (const { path } of (await listFiles()).reverse()) {
      await forEachLine(path, (text) => {
        const [, id = '', at] = beginLine.exec(text) ?? []
        if (Number(at) > oldest) madeAt.set(id, Number(at))
      })
    }
  }

  /** What these files say of the attempts whose lines are wanted, by their ids. Most lines are not parsed: a day of purchases is tens of megabytes. */
  async function readAttempts(
    paths: readonly string[],
    isWanted: (line: string) => boolean,
  ): Promise<Map<string, RememberedAttempt>> {
    const entries = new Map<string, RememberedAttempt>()
    for (const path of paths) {
      await forEachLine(path, (text) => {
        if (!text.startsWith('{"begin"') || !isWanted(text)) return
        const line = parse(text)
        if (line === undefined) logger.warn({ path }, 'A line of the attempt journal cannot be read')
        else apply(line, entries)
      })
    }
    // A reply may lie in another file than its attempt.
    for (const path of entries.size === 0 ? [] : paths) {
      await forEachLine(path, (text) => {
        const id = closingId.exec(text)?.[1]
        const line = id !== undefined && entries.has(id) ? parse(text) : undefined
        if (line !== undefined && !('begin' in line)) apply(line, entries)
      })
    }
    return entries
  }

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
    for (const { path, writtenAt } of await listFiles())
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

  /** One write and one sync for all lines that wait. */
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
        logger.error({ err: cause, dir }, 'The attempt journal cannot be written')
        // The file may end in half a line.
        await file?.handle.close().catch(() => undefined)
        file = undefined
        for (const { reject } of batch) reject(cause)
      }
    }
    currentWrite = undefined
  }

  function append(line: JournalLine): Promise<void> {
    apply(line, openAttempts)
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

  /** One look at the files for everybody who asks in the meantime. */
  function searchFor(id: string): Promise<Map<string, RememberedAttempt>> {
    if (pendingSearch === undefined) {
      const ids = new Set<string>()
      const delayMs = Math.max(0, searchedAt + searchEveryMs - performance.now())
      const result = new Promise((resolve) => setTimeout(resolve, delayMs)).then(() => {
        pendingSearch = undefined
        searchedAt = performance.now()
        return listFiles().then((files) =>
          readAttempts(
            files.map(({ path }) => path),
            (line) => [...ids].some((wanted) => line.includes(wanted)),
          ),
        )
      })
      pendingSearch = { ids, found: result }
    }
    pendingSearch.ids.add(id)
    return pendingSearch.found
  }

  await deleteOld()
  await indexMadeAttempts()

  return {
    /** Resolves when the attempt is on disk. Only then may its call be made. */
    begin: (entry: Omit<JournalEntry, 'reply'>): Promise<void> => append({ begin: entry }),

    /** The upstream has a task. Rejects never: Redis is told at the same time. */
    storeReply: (id: string, reply: TaskReply): Promise<void> => append({ reply, id }).catch(() => undefined),

    /** The reply named a task of another job: what became of the attempt is not known. Rejects never. */
    discardReply: (id: string): Promise<void> => append({ reply: null, id }).catch(() => undefined),

    /** Certainly no task came of the attempt. Rejects never. */
    discard: (id: string): Promise<void> => append({ void: id }).catch(() => undefined),

    /** Redis has the outcome. The files keep it, in case Redis loses it again. */
    markStored(id: string): void {
      openAttempts.delete(id)
    },

    /** Whether this machine has made an attempt, as far as this process knows. */
    hasMade: (id: string): boolean => madeAt.has(id),

    /** Whether this process has found that no task came of an attempt. */
    hasDiscarded: (id: string): boolean => discarded.has(id),

    /** What is known of an attempt whose outcome Redis does not have, of another process too. */
    async find(id: string): Promise<RememberedAttempt | undefined> {
      if (discarded.has(id)) return 'discarded'
      return openAttempts.get(id) ?? (await searchFor(id)).get(id)
    },

    /** Every attempt that was made on another server than this one and is not too old: file by file, the newest attempts first. */
    async *listMadeElsewhere(server: string): AsyncGenerator<JournalEntry[]> {
      const ofServer = `"server":${JSON.stringify(server)}`
      const oldest = now() - keepMs
      for (const { path } of await listFiles()) {
        const entries = await readAttempts([path], (line) => !line.includes(ofServer))
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

/** A new file is only there after a power cut when its folder has been synced too. */
async function syncFolder(dir: string): Promise<void> {
  const dirHandle = await open(dir, 'r')
  await dirHandle.sync().finally(() => dirHandle.close())
}

function parse(text: string): JournalLine | undefined {
  try {
    const line = JSON.parse(text) as { begin?: Partial<JournalEntry>; id?: unknown; void?: unknown }
    const id = line.begin?.attempt?.id ?? line.id ?? line.void
    return typeof id === 'string' ? (line as JournalLine) : undefined
  } catch {
    return undefined
  }
}
