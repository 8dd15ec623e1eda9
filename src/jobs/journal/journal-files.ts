import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Outcome } from '../../../providers/provider.ts'
import type { UploadedLinks } from '../../media/inputs/upload-inputs.ts'
import type { Attempt } from '../job.ts'

/** An attempt as the journal remembers it, whether or not Redis still has it. */
export type JournalEntry = {
  job: string
  attempt: Attempt
  /** Counts the attempts of the job, from 1. */
  number: number
  /** Links of uploaded inputs, by which a task is recognized in an upstream's task list. */
  handed: UploadedLinks
  /** The Redis server (`run_id`) that has the intent. Another server may never have received it. */
  server: string
  /** The upstream's reply; absent: no reply is known. */
  reply?: TaskReply
}

/** A reply that names a task. */
export type TaskReply = Extract<Outcome, { kind: 'running' | 'done' }>

/** `discarded`: the attempt certainly created no task. */
export type RememberedAttempt = JournalEntry | 'discarded'

/** One line of a file: an attempt, its reply (`null`: the reply named another job's task), or that it certainly created no task (`void`). */
export type JournalLine =
  | { begin: Omit<JournalEntry, 'reply'> }
  | { reply: TaskReply | null; id: string }
  | { void: string }

/** The ID and the time of an attempt, in a `begin` line. */
const beginLine = /^\{"begin":.*?"attempt":\{"id":"([^"]+)",.*?"at":(\d+)/
/** The ID at the end of any other line. */
const closingId = /"(?:id|void)":"([^"]+)"\}$/

/** Reads the files of a journal, which several processes write. Files and lines that cannot be read are logged and skipped. */
export function createJournalFiles({ dir, logger }: { dir: string; logger: Pick<Logger, 'warn'> }) {
  async function forEachLine(path: string, onLine: (text: string) => void): Promise<void> {
    try {
      for await (const text of readWholeLines(path)) onLine(text)
    } catch (cause) {
      logger.warn({ path, err: cause }, 'Attempt journal: file not readable')
    }
  }

  return {
    /** Newest first, by the time of the last write (unix ms). */
    async list(): Promise<{ path: string; writtenAt: number }[]> {
      const writtenFiles: { path: string; writtenAt: number }[] = []
      for (const name of await readdir(dir)) {
        const path = join(dir, name)
        const stats = await stat(path).catch(() => undefined)
        if (stats?.isFile() === true) writtenFiles.push({ path, writtenAt: stats.mtimeMs })
      }
      return writtenFiles.sort((a, b) => b.writtenAt - a.writtenAt)
    },

    /** ID and time (unix ms) of every attempt in a file. */
    async forEachAttempt(path: string, onAttempt: (id: string, at: number) => void): Promise<void> {
      await forEachLine(path, (text) => {
        const [, id = '', at] = beginLine.exec(text) ?? []
        if (at !== undefined) onAttempt(id, Number(at))
      })
    },

    /** The attempts whose `begin` lines are wanted, by ID. Most lines are not parsed: a day of purchases is tens of megabytes. */
    async readAttempts(
      paths: readonly string[],
      isWanted: (line: string) => boolean,
    ): Promise<Map<string, RememberedAttempt>> {
      const attempts = new Map<string, RememberedAttempt>()
      for (const path of paths) {
        await forEachLine(path, (text) => {
          if (!text.startsWith('{"begin"') || !isWanted(text)) return
          const line = parse(text)
          if (line === undefined) logger.warn({ path }, 'Attempt journal: line not readable')
          else applyLine(line, attempts)
        })
      }
      // A reply may be in another file than its attempt.
      for (const path of attempts.size === 0 ? [] : paths) {
        await forEachLine(path, (text) => {
          const id = closingId.exec(text)?.[1]
          const line = id !== undefined && attempts.has(id) ? parse(text) : undefined
          if (line !== undefined && !('begin' in line)) applyLine(line, attempts)
        })
      }
      return attempts
    },
  }
}

export function applyLine(line: JournalLine, attempts: Map<string, RememberedAttempt>): void {
  if ('begin' in line) attempts.set(line.begin.attempt.id, line.begin)
  else if ('void' in line) attempts.set(line.void, 'discarded')
  else {
    const entry = attempts.get(line.id)
    if (entry === undefined || entry === 'discarded') return
    const { reply: _, ...attempt } = entry
    attempts.set(line.id, { ...attempt, ...(line.reply && { reply: line.reply }) })
  }
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

/** Omits a last line without a line end: its write is in progress or was interrupted. */
async function* readWholeLines(path: string): AsyncGenerator<string> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw cause
  })
  if (file === undefined) return
  let rest = ''
  for await (const chunk of file.createReadStream({ encoding: 'utf8', highWaterMark: 1024 * 1024 })) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
}
