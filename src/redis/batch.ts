import type { Redis } from 'ioredis'
import { flushWrites } from './connections.ts'

type PendingItem<Item, Result> = {
  item: Item
  resolve: (result: Result) => void
  reject: (cause: unknown) => void
}

/**
 * Group commit: the items of one turn of the event loop share one command. `execute` returns one result per item, in order, an `Error` where an item
 * failed; when it rejects, all items of the batch reject. A batch of `maxItems` is sent at once, so that Redis works on it while this process reads the
 * next requests. Batches do not wait for each other: it was slower, because Redis and this process took turns.
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
        if (result === undefined || result instanceof Error) reject(result ?? new Error('no reply'))
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
