import type { Redis } from 'ioredis'
import type { Input } from '../../../providers/input.ts'
import type { Keys } from '../../redis/keys.ts'
import { defineScript, loadScript } from '../../redis/script.ts'
import { defaultTextLimits } from '../../text/text-limits.ts'
import type { Job, JobWork } from '../job.ts'
import { parseCancel, parseView, parseWebhookFields } from './codec.ts'
import { createJobWriter } from './create-job.ts'
import { observeRedisServer } from './epoch.ts'
import { createHistory } from './history.ts'
import { createJobReader } from './job-reader.ts'
import { createIntentWriter } from './purchase-intents.ts'
import { createTaskClaims } from './task-claims.ts'
import { createTransitionWriter, type FinishedJob } from './transition-writer.ts'

const claimStepScript = loadScript('jobs/claim-step', {
  keys: 'job open',
  args: 'id dueAt now pollIntervalMs',
})
const requestStepScript = loadScript('jobs/request-step', { keys: 'job', args: 'cancel now pollIntervalMs' })
const removeJobScript = loadScript('jobs/remove-job', {
  keys: 'job history notes webhooks deletedJob',
  args: 'id',
})

type JobStoreOptions = {
  redis: Redis
  keys: Keys
  /** How long a finished job is kept. */
  keepMs: number
  /** How long a claim of an upstream's task is kept: longer than any job runs. */
  claimMs?: number
  /** How long purchases pause after another Redis server has taken over. */
  graceMs?: number
  /** Minimum time between two steps that callbacks and cancels request. */
  minPollIntervalMs?: number
  /** The largest record that is accepted. */
  recordMaxBytes?: number
  /** The connection that writes intents; default: `redis`. */
  intentRedis?: Redis
  /** The connection that creates jobs; default: `redis`. */
  acceptRedis?: Redis
  now?: () => number
  /** Called after the last transition of a job. */
  onFinished?: (finished: FinishedJob) => void
}

export type JobStore = ReturnType<typeof createJobStore>

/** The records of jobs in Redis. */
export function createJobStore({
  redis,
  keys,
  keepMs,
  claimMs = 86_400_000,
  graceMs = 5000,
  minPollIntervalMs = 0,
  recordMaxBytes = defaultTextLimits.recordMaxBytes,
  intentRedis = redis,
  acceptRedis = redis,
  now = Date.now,
  onFinished,
}: JobStoreOptions) {
  const claimStepInRedis = defineScript(redis, 'reelgateClaim', claimStepScript)
  const requestStepInRedis = defineScript(redis, 'reelgateWake', requestStepScript)
  const removeJobInRedis = defineScript(redis, 'reelgateRemove', removeJobScript)

  const requestNextStep = (id: string, cancel: 'client' | 'withdrawn' | ''): Promise<number> =>
    requestStepInRedis<number>({
      keys: { job: keys.job(id) },
      args: { cancel, now: now(), pollIntervalMs: minPollIntervalMs },
    })

  return {
    create: createJobWriter({ redis: acceptRedis, keys, keepMs, recordMaxBytes, now }),

    /** Stores the intent to purchase, unless something prevents the purchase. */
    storeIntent: createIntentWriter({ redis: intentRedis, keys, graceMs }),

    /** For how many ms nothing may be purchased yet, because another server has taken over. */
    purchasesPausedMs: async () => (await observeRedisServer({ redis, keys, graceMs })).pausedMs,

    /** Takes the next step. `dueAt`: by when it must have been written. `early`: it was requested too soon after another one. */
    async claimStep(id: string, dueAt: number): Promise<Job | 'absent' | 'ended' | 'early'> {
      const reply = await claimStepInRedis<(string | null)[] | number | null>({
        keys: { job: keys.job(id), open: keys.open },
        args: { id, dueAt, now: now(), pollIntervalMs: minPollIntervalMs },
      })
      if (reply === null) return 'absent'
      if (!Array.isArray(reply)) return reply === 1 ? 'early' : 'ended'
      const [, leaseToken, owner, view, input, work, version, cancel, callbackSecret, ...webhook] = reply
      return {
        leaseToken: Number(leaseToken),
        owner: owner ?? '',
        view: parseView(view, version),
        input: JSON.parse(input ?? '{}') as Input,
        work: JSON.parse(work ?? '{}') as JobWork,
        ...parseCancel(cancel),
        callbackSecret: callbackSecret ?? '',
        ...parseWebhookFields(webhook),
      }
    },

    /** Deletes a job that has ended. It stays in its owner's index, so that a client that pages through the list can go on after it. */
    async remove(id: string): Promise<boolean> {
      const reply = await removeJobInRedis({
        keys: {
          job: keys.job(id),
          history: keys.history(id),
          notes: keys.notes(id),
          webhooks: keys.webhooks,
          deletedJob: keys.deletedJob(id),
        },
        args: { id },
      })
      return reply === 1
    },

    /** `withdrawn`: the client received an error instead of a job ID, so it pays nothing. `repeated`: the next step comes without help. */
    async requestCancel(
      id: string,
      by: 'client' | 'withdrawn' = 'client',
    ): Promise<'absent' | 'ended' | 'asked' | 'repeated'> {
      return (['absent', 'ended', 'asked', 'repeated'] as const)[await requestNextStep(id, by)] ?? 'absent'
    },

    /** Requests the next step at once, even while one is running. False: it comes without help, or there is none. */
    async requestStep(id: string): Promise<boolean> {
      return (await requestNextStep(id, '')) === 2
    },

    /** When a step that came too early may be taken, unix ms. */
    async earliestStepAt(id: string): Promise<number> {
      const lastCall = await redis.hget(keys.job(id), 'called')
      return Number(lastCall?.split(' ')[1] ?? 0)
    },

    /** Whether the next step has been requested since this one was taken. */
    async isStepRequested(id: string): Promise<boolean> {
      return (await redis.hexists(keys.job(id), 'wake')) === 1
    },

    ...createTransitionWriter({ redis, keys, keepMs, recordMaxBytes, now, onFinished }),
    ...createJobReader({ redis, keys }),
    ...createTaskClaims({ redis, keys, graceMs, claimMs }),
    ...createHistory({ redis, keys }),
  }
}
