import type { Redis } from 'ioredis'
import type { Keys } from '../../redis/keys.ts'
import { defineScript, loadScript } from '../../redis/script.ts'
import type { Job } from '../job.ts'
import { attemptMarker } from './codec.ts'
import type { Transition } from './transition.ts'

const storeIntentScript = loadScript('jobs/store-intent', {
  keys: 'job open history epoch identicalRequests',
  args: 'id leaseToken deadlineAt view work attempt entry dueAt channel graceMs attemptAt identicalKeepMs',
})

export type IntentResult =
  | { kind: 'stored'; server: string }
  | { kind: 'paused'; ms: number }
  | { kind: 'stale' | 'canceled' | 'expired' }

type Options = { redis: Redis; keys: Keys; graceMs: number }

export function createIntentWriter({ redis, keys, graceMs }: Options) {
  const storeIntentInRedis = defineScript(redis, 'reelgateStoreIntent', storeIntentScript)

  /** `identical`: the fingerprint of the request, and for how long the job awaits the reply while others may send an identical one. */
  return async function storeIntent(
    job: Job,
    { view, work, entry, dueAt = 0 }: Transition,
    identical: { fingerprint: string; forMs: number },
  ): Promise<IntentResult> {
    const { attempt } = work
    if (attempt === undefined || entry === undefined)
      throw new Error('an intent has an attempt and a history entry')
    const [kind, detail = ''] = await storeIntentInRedis<[IntentResult['kind'], (string | number)?]>({
      keys: {
        job: keys.job(view.id),
        open: keys.open,
        history: keys.history(view.id),
        epoch: keys.epoch,
        identicalRequests: keys.identicalRequests(attempt.provider, identical.fingerprint),
      },
      args: {
        id: view.id,
        leaseToken: job.leaseToken,
        deadlineAt: work.deadlineAt,
        view: JSON.stringify({ ...view, version: undefined }),
        work: JSON.stringify(work),
        attempt: attemptMarker(attempt),
        entry: JSON.stringify(entry),
        dueAt,
        channel: keys.channel(view.id),
        graceMs,
        attemptAt: attempt.at,
        identicalKeepMs: identical.forMs,
      },
    })
    if (kind === 'stored') return { kind, server: String(detail) }
    return kind === 'paused' ? { kind, ms: Number(detail) } : { kind }
  }
}
