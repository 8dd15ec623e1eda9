import type { Redis } from 'ioredis'
import { type FaultCode, fault } from '../../providers/faults.ts'
import { createHolds } from '../../src/accounts/holds.ts'
import { createLedger } from '../../src/accounts/ledger.ts'
import { createUsageReader } from '../../src/accounts/usage.ts'
import type { JobWork } from '../../src/jobs/job.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import {
  createFailedTransition,
  createSucceededTransition,
  createTransition,
} from '../../src/jobs/store/transition.ts'
import { createKeys } from '../../src/redis/keys.ts'

/** Accounts, and jobs that only cost money: accepted and ended on a real Redis, without a render. */
export function createTestAccounts(redis: Redis, prefix: string) {
  const keys = createKeys(prefix)
  const store = createJobStore({ redis, keys, keepMs: 3_600_000 })
  let jobs = 0

  async function accept(
    owner: string,
    costUsd: number,
    { model = 'veo', createdAt = Date.now(), id = `job${++jobs}` } = {},
  ) {
    const acceptance = await store.create({
      view: { id, version: 1, model, state: 'pending', progress: 0, createdAt, costUsd },
      owner,
      input: {},
      work: { route: ['fal'], deadlineAt: createdAt + 600_000, refusals: 0, misses: 0, polls: 0 },
      callbackSecret: '',
      dueAt: createdAt,
      queue: 'fal',
    })
    return { id, acceptance }
  }

  async function claim(id: string) {
    const job = await store.claimStep(id, 1)
    if (typeof job !== 'object') throw new Error(job)
    return job
  }

  return {
    keys,
    store,
    ledger: createLedger({ redis, keys }),
    holds: createHolds({ redis, keys }),
    usage: createUsageReader({ redis, keys }),
    accept,
    /** The upstream has the job. */
    async start(id: string, work: Partial<JobWork> = {}) {
      const job = await claim(id)
      const attempt = { id: 'attempt', provider: 'fal' as const, at: 5 }
      await store.write(
        job,
        createTransition(job, {
          view: { state: 'generating' },
          work: { attempt, takenAt: 1, ...work },
          now: 1,
        }),
      )
    },
    async succeed(id: string, costUsd?: number) {
      const job = await claim(id)
      const done = createSucceededTransition(job, [{ url: '/a.mp4' }], Date.now())
      return store.write(job, costUsd === undefined ? done : { ...done, view: { ...done.view, costUsd } })
    },
    async fail(id: string, code: FaultCode = 'upstream_error') {
      const job = await claim(id)
      return store.write(job, createFailedTransition(job, fault(code, 'it failed'), Date.now()))
    },
  }
}
