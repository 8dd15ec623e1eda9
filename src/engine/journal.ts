import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Logger } from 'pino'
import type { Outcome } from '../../providers/provider.ts'
import type { Handed } from '../media/hand-over.ts'
import type { Attempt } from './job.ts'

/** An attempt as its worker remembers it, whatever becomes of Redis. */
export type JournalEntry = {
  job: string
  attempt: Attempt
  /** The how manieth attempt of the job it is, from 1. */
  number: number
  /** Links of uploaded inputs, by which a task is recognized in an upstream's list. */
  handed: Handed
  /** The Redis server (`run_id`) that has the intent. Another one may never have got it. */
  server: string
  /** What the upstream replied; absent: no reply is known. */
  reply?: Taken
}

/** A reply that says: there is a task. */
export type Taken = Extract<Outcome, { kind: 'running' | 'done' }>

/** One line of a file: an attempt, what was replied to it (`null`: that was another job's reply), or that certainly no task came of it. */
type Line = { begin: Omit<JournalEntry, 'reply'> } | { reply: Taken | null; id: string } | { void: string }

/** Another file is begun after this long, so that a file that nobody writes to any more can be told by its age. */
const fileMs = 3_600_000
/** The files of other processes are read again for a lost reply, but no more often than this. */
const reloadMs = 5000

export type Journal = Awaited<ReturnType<typeof createJournal>>

type Options = { dir: string; keepMs: number; logger: Pick<Logger, 'error' | 'warn'>; now?: () => number }

/**
 * The attempts of the workers of one DATA_DIR, on its disk: Redis may lose its latest writes (a failover, a power cut), and a purchase must not be
 * repeated then. Each process appends to files of its own and reads those of all.
 */
export async function createJournal({ dir, keepMs, logger, now = Date.now }: Options) {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const entries = new Map<string, JournalEntry>()
  let file: { handle: FileHandle; openedAt: number } | undefined
  let waiting: { text: string; resolve: () => void; reject: (cause: unknown) => void }[] = []
  let writing: Promise<void> | undefined
  let loadedAt = 0

  function apply(line: Line): void {
    if ('begin' in line) {
      entries.set(line.begin.attempt.id, line.begin)
    } else if ('reply' in line) {
      const { reply: _, ...attempt } = entries.get(line.id) ?? {}
      if ('attempt' in attempt) entries.set(line.id, { ...attempt, ...(line.reply && { reply: line.reply }) })
    } else entries.delete(line.void)
  }

  /** Reads the files of all processes. A reply may lie in another file than its attempt, so replies are applied last. */
  async function load(): Promise<void> {
    loadedAt = Date.now()
    const later: Line[] = []
    for (const name of await readdir(dir)) {
      const path = join(dir, name)
      for await (const text of createInterface({ input: createReadStream(path, 'utf8') })) {
        const line = parse(text)
        if (line === undefined) logger.warn({ path }, 'A line of the attempt journal cannot be read')
        else if ('begin' in line && !entries.has(line.begin.attempt.id)) apply(line)
        else later.push(line)
      }
    }
    for (const line of later) if (!('begin' in line)) apply(line)
    const sorted = [...entries].sort(([, a], [, b]) => a.attempt.at - b.attempt.at)
    entries.clear()
    for (const [id, entry] of sorted) entries.set(id, entry)
    forgetOld()
  }

  function forgetOld(): void {
    const oldest = now() - keepMs
    for (const [id, { attempt }] of entries) {
      if (attempt.at > oldest) break
      entries.delete(id)
    }
  }

  async function removeOldFiles(): Promise<void> {
    for (const name of await readdir(dir)) {
      const path = join(dir, name)
      const found = await stat(path).catch(() => undefined)
      if (found !== undefined && found.mtimeMs < Date.now() - keepMs - fileMs) await rm(path, { force: true })
    }
  }

  async function currentFile(): Promise<FileHandle> {
    if (file !== undefined && Date.now() - file.openedAt < fileMs) return file.handle
    await file?.handle.close()
    file = undefined
    forgetOld()
    await removeOldFiles()
    const handle = await open(join(dir, `${process.pid}-${randomUUID()}.jsonl`), 'ax', 0o600)
    await syncFolder(dir)
    file = { handle, openedAt: Date.now() }
    return handle
  }

  /** One write and one sync for all lines that wait. */
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        const handle = await currentFile()
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
    writing = undefined
  }

  function append(line: Line): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.push({ text: `${JSON.stringify(line)}\n`, resolve, reject })
      writing ??= writeAll()
    })
  }

  await load()
  await removeOldFiles()

  return {
    /** Resolves when the attempt is on disk. Only then may its call be made. */
    async begin(entry: Omit<JournalEntry, 'reply'>): Promise<void> {
      apply({ begin: entry })
      await append({ begin: entry })
    },

    /** The upstream has a task. Rejects never: Redis is told at the same time. */
    async keepReply(id: string, reply: Taken): Promise<void> {
      apply({ reply, id })
      await append({ reply, id }).catch(() => undefined)
    },

    /** The reply named a task of another job: what became of the attempt is not known. Rejects never. */
    async discardReply(id: string): Promise<void> {
      apply({ reply: null, id })
      await append({ reply: null, id }).catch(() => undefined)
    },

    /** Certainly no task came of the attempt. Rejects never. */
    async discard(id: string): Promise<void> {
      entries.delete(id)
      await append({ void: id }).catch(() => undefined)
    },

    /** Reads what other processes have written since. */
    load,

    /** What is known of an attempt, of another process too. */
    async find(id: string): Promise<JournalEntry | undefined> {
      if (entries.get(id)?.reply === undefined && Date.now() - loadedAt > reloadMs) await load()
      return entries.get(id)
    },

    /** Newest first. */
    all: (): JournalEntry[] => [...entries.values()].reverse(),

    async close(): Promise<void> {
      await writing
      await file?.handle.close()
      file = undefined
    },
  }
}

/** A new file is only there after a power cut when its folder has been synced too. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  await folder.sync().finally(() => folder.close())
}

/** `undefined`: the line was cut short, as the last one of a killed process may be. */
function parse(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text)
    return typeof line === 'object' && line !== null ? (line as Line) : undefined
  } catch {
    return undefined
  }
}
