import type { Redis } from 'ioredis'
import { ledgerRetentionMs } from '../../accounts/money.ts'
import type { Keys } from '../../redis/keys.ts'
import { defineScript, loadScript } from '../../redis/script.ts'
import { type HistoryEntry, isTerminal, type JobNote, type VersionedHistoryEntry } from '../job.ts'

const addNoteScript = loadScript('jobs/add-note', { keys: 'job notes', args: 'kind note keepMs' })

/** What Redis stores about jobs in addition to their records: the history, notes and deadlines. */
export function createHistory({ redis, keys }: { redis: Redis; keys: Keys }) {
  const addNoteInRedis = defineScript(redis, 'reelgateNoteLate', addNoteScript)

  /** The entries after `version`, each with the version that it made, which is its position in the list. */
  async function readEntries(id: string, version: number): Promise<VersionedHistoryEntry[]> {
    const firstIndex = Math.max(version, 0)
    // The entry before it shows whether the job had ended by then.
    const texts = await redis.lrange(keys.history(id), Math.max(firstIndex - 1, 0), -1)
    const allEntries = texts.map((text) => JSON.parse(text) as HistoryEntry)
    return (firstIndex === 0 ? [undefined, ...allEntries] : allEntries).flatMap((previous, index, all) => {
      const entry = all[index + 1]
      if (entry === undefined || isLegacyNote(previous, entry)) return []
      return [{ version: firstIndex + index + 1, entry }]
    })
  }

  return {
    /** The transitions after a version, oldest first. Omits an end after which an operator resumed the job: followers see one end. */
    async readHistoryAfter(id: string, version: number): Promise<VersionedHistoryEntry[]> {
      const entries = await readEntries(id, version)
      return entries.filter(({ entry }, index) => !isTerminal(entry.state) || index === entries.length - 1)
    },

    /** Adds a note to a job that has ended, once per kind. */
    async addNote(id: string, note: JobNote): Promise<void> {
      await addNoteInRedis({
        keys: { job: keys.job(id), notes: keys.notes(id) },
        args: { kind: note.kind, note: JSON.stringify(note), keepMs: ledgerRetentionMs },
      })
    },

    /** Oldest first. */
    async readNotes(id: string): Promise<JobNote[]> {
      const notes = await redis.hvals(keys.notes(id))
      return notes.map((note) => JSON.parse(note) as JobNote).sort((a, b) => a.at - b.at)
    },

    async readHistory(id: string): Promise<HistoryEntry[]> {
      return (await readEntries(id, 0)).map(({ entry }) => entry)
    },

    /** IDs of unfinished jobs whose deadline has passed, the longest overdue first. */
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

/** Version 0.1 wrote notes into the history, with the state in which the job had ended. */
function isLegacyNote(previous: HistoryEntry | undefined, entry: HistoryEntry): boolean {
  return previous !== undefined && isTerminal(previous.state) && isTerminal(entry.state)
}
