import type { Redis } from 'ioredis'
import { ledgerRetentionMs } from '../../accounts/money.ts'
import type { Keys } from '../../redis/keys.ts'
import { type HistoryEntry, isTerminal, type JobNote } from '../job.ts'

type HistoryOptions = {
  redis: Redis
  keys: Keys
  run(command: string, ...args: (string | number)[]): Promise<unknown>
}

type NumberedEntry = { version: number; entry: HistoryEntry }

/** What is written and looked up about jobs beside their records: the audit trail, notes, the overdue ones. */
export function createHistory({ redis, keys, run }: HistoryOptions) {
  /** With the version that each made, which is its place in the list. */
  async function readEntries(id: string, version: number): Promise<NumberedEntry[]> {
    const firstIndex = Math.max(version, 0)
    // With the one before, which tells whether the job had ended by then.
    const texts = await redis.lrange(keys.history(id), Math.max(firstIndex - 1, 0), -1)
    const allEntries = texts.map((text) => JSON.parse(text) as HistoryEntry)
    return (firstIndex === 0 ? [undefined, ...allEntries] : allEntries).flatMap((previous, index, all) => {
      const entry = all[index + 1]
      if (entry === undefined || isLegacyNote(previous, entry)) return []
      return [{ version: firstIndex + index + 1, entry }]
    })
  }

  return {
    /** The changes after a version, oldest first. Without an end after which an operator resumed the job: followers see one end. */
    async readHistoryAfter(id: string, version: number): Promise<NumberedEntry[]> {
      const entries = await readEntries(id, version)
      return entries.filter(({ entry }, index) => !isTerminal(entry.state) || index === entries.length - 1)
    },

    /** Writes something down about a job that has ended, once for each kind. */
    async addNote(id: string, note: JobNote): Promise<void> {
      await run(
        'reelgateNoteLate',
        keys.job(id),
        keys.notes(id),
        note.kind,
        JSON.stringify(note),
        ledgerRetentionMs,
      )
    },

    /** Oldest first. */
    async readNotes(id: string): Promise<JobNote[]> {
      const notes = await redis.hvals(keys.notes(id))
      return notes.map((note) => JSON.parse(note) as JobNote).sort((a, b) => a.at - b.at)
    },

    async readHistory(id: string): Promise<HistoryEntry[]> {
      return (await readEntries(id, 0)).map(({ entry }) => entry)
    },

    /** Ids of unfinished jobs for which something is overdue, longest first. */
    listOverdue(now: number, count: number): Promise<string[]> {
      return redis.zrangebyscore(keys.open, '-inf', now, 'LIMIT', 0, count)
    },

    async postponeDeadline(id: string, dueAt: number): Promise<void> {
      await redis.zadd(keys.open, 'XX', dueAt, id)
    },

    async removeFromOpen(id: string): Promise<void> {
      await redis.zrem(keys.open, id)
    },
  }
}

/** Version 0.1 wrote notes among the changes, with the state in which the job had ended. */
function isLegacyNote(previous: HistoryEntry | undefined, entry: HistoryEntry): boolean {
  return previous !== undefined && isTerminal(previous.state) && isTerminal(entry.state)
}
