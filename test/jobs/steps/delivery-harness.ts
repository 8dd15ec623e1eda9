import assert from 'node:assert/strict'
import type { Redis } from 'ioredis'
import type { JobWork } from '../../../src/jobs/job.ts'
import type { StepDeps } from '../../../src/jobs/steps/deps.ts'
import { runStep } from '../../../src/jobs/steps/step-runner.ts'
import { createJobStore } from '../../../src/jobs/store/store.ts'
import { createTransition } from '../../../src/jobs/store/transition.ts'
import { LinkNotReady } from '../../../src/media/results/download.ts'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { quiet } from '../../support/setup.ts'

export const minute = 60_000
export const hour = 60 * minute
export const stored = [{ url: '/files/a.mp4' }]
export const noSpace = () => new StorageUnavailable('Cannot store results/a.mp4 on the disk store: ENOSPC')
export const noLink = () => new LinkNotReady('HTTP 404')

export type Deliver = StepDeps['storeResults']

/** A download that runs until it is aborted. `begun` resolves when it has started. */
export function endless() {
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  const deliver: Deliver = (_, __, { signal }) => {
    resolve()
    return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  }
  return { deliver, begun }
}

export type DeliveryHarness = ReturnType<typeof createDeliveryHarness>

/** For tests of the step that fetches a result: a real record, a manual clock, and a delivery by the test. */
export function createDeliveryHarness(redis: Redis) {
  const keys = createKeys('delivery:')
  const store = createJobStore({ redis, keys, keepMs: hour })
  let jobs = 0

  /** A job whose result is ready, one minute after it was accepted with a deadline of ten. */
  async function begin(deliver: Deliver, changes: Partial<StepDeps> = {}, more: Partial<JobWork> = {}) {
    const id = `job${++jobs}`
    const owner = `owner${jobs}`
    const clock = { now: 1_800_000_000_000 }
    const deps = {
      store,
      storeResults: deliver,
      deliveryLimits: { timeoutMs: 30 * minute, graceMs: 10 * minute, storageRetryMs: 24 * hour },
      isCancelRequested: async () => (await redis.hexists(keys.job(id), 'cancel')) === 1,
      measureVideoSeconds: async () => undefined,
      slots: { release: async () => [] },
      callTimeoutMs: 1000,
      maxPollIntervalMs: 20_000,
      logger: quiet,
      now: () => clock.now,
      ...changes,
    } as unknown as StepDeps
    await store.create({
      view: { id, version: 1, model: 'm', state: 'pending', progress: 0, createdAt: clock.now, costUsd: 1 },
      owner,
      input: {},
      work: { route: ['fal'], deadlineAt: clock.now + 10 * minute, refusals: 0, misses: 0, polls: 0 },
      callbackSecret: 'secret',
      dueAt: clock.now,
      queue: 'fal',
    })
    const job = await store.claimStep(id, clock.now)
    assert.ok(typeof job === 'object')
    const work = { takenAt: clock.now, results: [{ url: 'https://cdn.example/a.mp4' }], ...more }
    await store.write(job, createTransition(job, { view: { state: 'delivering' }, work, now: clock.now }))
    clock.now += minute
    const began = clock.now

    const run = () => runStep(deps, id, 'delivery')
    const money = async () => {
      const { reserved = '0', spent = '0' } = await redis.hgetall(keys.account(owner))
      return { reserved: Number(reserved), spent: Number(spent) }
    }
    return {
      id,
      deps,
      clock,
      run,
      money,
      state: async () => (await store.readStatus(id))?.view.state,
      error: async () => (await store.readStatus(id))?.view.error,
      work: async () => (await store.read(id))?.work,
      history: async () =>
        (await store.readHistory(id)).map(({ reason }) => reason).filter((one) => one !== undefined),
      elapsed: () => clock.now - began,
      /** Runs steps, each when the one before schedules it, until the job ends or the time is over. */
      async runFor(ms: number): Promise<void> {
        const end = clock.now + ms
        for (let steps = 0; clock.now <= end; steps += 1) {
          const next = await run()
          if (next.kind !== 'wait') return
          assert.ok(next.at > clock.now, 'the next step is later')
          assert.ok(next.at - clock.now <= minute, 'a job is never out of sight')
          assert.ok(steps < 5000, 'it goes on and on')
          clock.now = next.at
        }
      },
    }
  }
  return { begin, store, keys }
}
