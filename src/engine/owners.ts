import type { Redis } from 'ioredis'
import type { Alike, Outcome, Provider, ProviderName, Ticket } from '../../providers/provider.ts'
import type { Keys } from './keys.ts'

/** Longer than anybody goes on looking for a lost answer, an outage of ours included. */
const keptMs = 86_400_000

/**
 * Whose job an upstream's task is, where it is found by its likeness: jobs that ask for the same must not share a task.
 */
export function createTaskOwners({ redis, keys }: { redis: Redis; keys: Keys }) {
  const key = (provider: ProviderName, ticket: Ticket) => keys.task(provider, JSON.stringify(ticket))

  return {
    /** The upstream has told that the task is this job's. */
    async ownTask({ name, find }: Provider, ticket: Ticket, id: string): Promise<void> {
      if (find === undefined || find.safeToResend) return
      await redis.set(key(name, ticket), id, 'PX', keptMs)
    },

    /** What became of the task that is this job's from now on; `undefined`: there is none for it, or nobody can tell which. */
    async chooseTask({ name }: Provider, { tasks, same }: Alike, id: string): Promise<Outcome | undefined> {
      if (tasks.length === 0) return undefined
      const owners = await redis.mget(tasks.map(({ ticket }) => key(name, ticket)))
      const known = tasks.find((_, index) => owners[index] === id)
      if (known !== undefined) return known.outcome
      const free = tasks.filter((_, index) => owners[index] === null)
      if (free.length > 1 && !same) return undefined
      for (const { ticket, outcome } of free) {
        const taken = await redis.set(key(name, ticket), id, 'PX', keptMs, 'NX')
        if (taken !== null) return outcome
      }
      return undefined
    },
  }
}
