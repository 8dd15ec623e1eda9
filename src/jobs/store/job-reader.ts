import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import type { Input } from '../../../providers/input.ts'
import { createBatcher } from '../../redis/batch.ts'
import type { Keys } from '../../redis/keys.ts'
import { defineBatchScript, defineScript, loadBatchScript, loadScript } from '../../redis/script.ts'
import type { IdempotencyKey, Job, JobView, JobWork } from '../job.ts'
import { parseCancel, parseReplay, parseView, parseWebhookFields, type Replay } from './codec.ts'

const readStatusesScript = loadBatchScript('jobs/read-statuses', {
  args: '',
  each: { keys: 'job', args: '' },
})
const listOwnedIdsScript = loadScript('jobs/list-owned-ids', { keys: 'ownerJobs', args: 'order after count' })

/** A status is little work for Redis, so the command can wait until the turn of the event loop ends. */
const maxBatch = 100

/** About 3 kB each, with the response bodies made from them. */
const maxCachedViews = 2000

type StatusFields = readonly [owner: string | null, view: string | null, version: string | null]

/** Reads the records of jobs. */
export function createJobReader({ redis, keys }: { redis: Redis; keys: Keys }) {
  const readStatusesInRedis = defineBatchScript(redis, 'reelgateRead', readStatusesScript)
  const listOwnedIdsInRedis = defineScript(redis, 'reelgateOwned', listOwnedIdsScript)
  const toView = createViewCache()
  const readStatusFields = createBatcher(redis, maxBatch, (ids: readonly string[]) =>
    readStatusesInRedis<StatusFields>({
      args: {},
      items: ids.map((id) => ({ keys: { job: keys.job(id) }, args: {} })),
    }),
  )

  return {
    /** The result of `create` for an idempotency key that was used before. */
    async findReplay(
      owner: string,
      { key, fingerprint }: IdempotencyKey,
    ): Promise<Replay | { kind: 'reused' } | undefined> {
      const [storedFingerprint, ...replay] = await redis.hmget(
        keys.idempotencyKey(owner, key),
        'fingerprint',
        'left',
        'view',
        'warnings',
      )
      if (storedFingerprint === null || storedFingerprint === undefined) return undefined
      return storedFingerprint === fingerprint ? parseReplay(replay) : { kind: 'reused' }
    },

    async read(id: string): Promise<Job | undefined> {
      const fields = await redis.hmget(
        keys.job(id),
        'owner',
        'view',
        'version',
        'work',
        'input',
        'hint',
        'fence',
        'cancel',
        'webhook',
        'address',
      )
      const [owner, view, version, work, input, callbackSecret, leaseToken, cancelField, ...webhook] = fields
      if (owner === null || owner === undefined || view === null) return undefined
      return {
        owner,
        view: parseView(view, version),
        work: JSON.parse(work ?? '{}') as JobWork,
        input: JSON.parse(input ?? '{}') as Input,
        callbackSecret: callbackSecret ?? '',
        leaseToken: Number(leaseToken),
        ...parseCancel(cancelField),
        ...parseWebhookFields(webhook),
      }
    },

    async readStatus(id: string): Promise<{ owner: string; view: JobView } | undefined> {
      const [owner, view, version] = await readStatusFields(id)
      if (owner === null || view === null) return undefined
      return { owner, view: toView(id, view, version ?? '') }
    },

    async readViews(ids: readonly string[]): Promise<JobView[]> {
      const records = await Promise.all(ids.map((id) => redis.hmget(keys.job(id), 'view', 'version')))
      return records.flatMap(([view, version]) =>
        view === null || view === undefined ? [] : [parseView(view, version)],
      )
    },

    /** The request of a job; empty when there is no such job. */
    async readInput(id: string): Promise<Input> {
      return JSON.parse((await redis.hget(keys.job(id), 'input')) ?? '{}') as Input
    },

    /** IDs of an owner's jobs by creation, after one of them. `undefined`: that one is not the owner's. */
    async listOwnedIds(
      owner: string,
      { after, oldestFirst, count }: { after: string | undefined; oldestFirst: boolean; count: number },
    ): Promise<string[] | undefined> {
      const ids = await listOwnedIdsInRedis<string[] | null>({
        keys: { ownerJobs: keys.ownerJobs(owner) },
        args: { order: oldestFirst ? 'oldest' : 'newest', after: after ?? '', count },
      })
      return ids ?? undefined
    },
  }
}

/**
 * Parses the views of records. While a record does not change, its view is the same object, so that callers can cache what they derive from it. Redis is
 * read each time, so all processes return the same.
 */
export function createViewCache() {
  const cache = new LRUCache<string, { text: string; version: string; view: JobView }>({
    max: maxCachedViews,
  })
  return (id: string, text: string, version: string): JobView => {
    const cached = cache.get(id)
    if (cached?.text === text && cached.version === version) return cached.view
    const view = parseView(text, version)
    cache.set(id, { text, version, view })
    return view
  }
}
