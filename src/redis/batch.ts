import type { Redis } from 'ioredis'
import { flushWrites } from './connections.ts'

type PendingItem<Item, Result> = {
  item: Item
  resolve: (result: Result) => void
  reject: (cause: unknown) => void
}

/**
 * Group commit: what is asked for in one turn of the event loop is asked together, by one command. Waiting for the answer before the next one
 * leaves was slower: Redis and this process would take turns. `ask` answers in the order of the questions, an `Error` where one fails; what
 * it rejects with, all of them do. More than `most` are not kept together: Redis begins with them while this process reads the next requests.
 */
export function createBatcher<Item, Result>(
  redis: Redis,
  maxItems: number,
  execute: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>,
) {
  let pending: PendingItem<Item, Result>[] = []

  async function executeBatch(batch: readonly PendingItem<Item, Result>[]): Promise<void> {
    try {
      const results = await execute(batch.map(({ item }) => item))
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index]
        if (result === undefined || result instanceof Error) reject(result ?? new Error('no answer'))
        else resolve(result)
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause)
    }
  }

  function flushPending(): void {
    if (pending.length === 0) return
    void executeBatch(pending)
    pending = []
    flushWrites(redis)
  }

  return (item: Item): Promise<Result> =>
    new Promise((resolve, reject) => {
      pending.push({ item, resolve, reject })
      if (pending.length === 1) setImmediate(flushPending)
      if (pending.length === maxItems) flushPending()
    })
}
