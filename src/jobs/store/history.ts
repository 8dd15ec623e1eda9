import type { Redis } from 'ioredis'
import { booksKeptMs } from '../../accounts/money.ts'
import type { Keys } from '../../redis/keys.ts'
import { type Event, isTerminal, type Note } from '../job.ts'

type Parts = {
  redis: Redis
  keys: Keys
  run(command: string, ...args: (string | number)[]): Promise<unknown>
}

type Numbered = { version: number; event: Event }

/** What is written and looked up about jobs beside their records: the audit trail, notes, the overdue ones. */
export function createTrail({ redis, keys, run }: Parts) {
  /** With the version that each made, which is its place in the list. */
  async function changes(id: string, version: number): Promise<Numbered[]> {
    const first = Math.max(version, 0)
    // With the one before, which tells whether the job had ended by then.
    const entries = await redis.lrange(keys.events(id), Math.max(first - 1, 0), -1)
    const events = entries.map((entry) => JSON.parse(entry) as Event)
    return (first === 0 ? [undefined, ...events] : events).flatMap((before, index, all) => {
      const event = all[index + 1]
      if (event === undefined || isOldNote(before, event)) return []
      return [{ version: first + index + 1, event }]
    })
  }

  return {
    /** The changes after a version, oldest first. Without an end after which an operator resumed the job: followers see one end. */
    async since(id: string, version: number): Promise<Numbered[]> {
      const found = await changes(id, version)
      return found.filter(({ event }, index) => !isTerminal(event.state) || index === found.length - 1)
    },

    /** Writes something down about a job that has ended, once for each kind. */
    async noteLate(id: string, note: Note): Promise<void> {
      await run(
        'reelgateNoteLate',
        keys.job(id),
        keys.notes(id),
        note.kind,
        JSON.stringify(note),
        booksKeptMs,
      )
    },

    /** Oldest first. */
    async notes(id: string): Promise<Note[]> {
      const notes = await redis.hvals(keys.notes(id))
      return notes.map((note) => JSON.parse(note) as Note).sort((a, b) => a.at - b.at)
    },

    async events(id: string): Promise<Event[]> {
      return (await changes(id, 0)).map(({ event }) => event)
    },

    /** Ids of unfinished jobs for which something is overdue, longest first. */
    overdue(now: number, count: number): Promise<string[]> {
      return redis.zrangebyscore(keys.open, '-inf', now, 'LIMIT', 0, count)
    },

    async postpone(id: string, dueAt: number): Promise<void> {
      await redis.zadd(keys.open, 'XX', dueAt, id)
    },

    async forget(id: string): Promise<void> {
      await redis.zrem(keys.open, id)
    },
  }
}

/** Version 0.1 wrote notes among the changes, with the state in which the job had ended. */
function isOldNote(before: Event | undefined, event: Event): boolean {
  return before !== undefined && isTerminal(before.state) && isTerminal(event.state)
}
