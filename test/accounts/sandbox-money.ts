import type { Redis } from 'ioredis'
import { createTestAccounts } from './job-money.ts'

/** Records as version 0.1 wrote them for sandbox jobs: marked in the view, with their price reserved. */
export function createSandboxAccounts(redis: Redis, prefix: string) {
  const jobs = createTestAccounts(redis, prefix)

  async function mark(id: string): Promise<void> {
    const view = JSON.parse((await redis.hget(jobs.keys.job(id), 'view')) ?? '{}')
    await redis.hset(jobs.keys.job(id), 'view', JSON.stringify({ ...view, sandbox: true }))
  }

  return {
    ...jobs,
    acceptSandbox(owner: string) {
      const createdAt = Date.now()
      return jobs.store.create({
        view: {
          id: 'sandbox',
          version: 1,
          model: 'veo',
          state: 'pending',
          progress: 0,
          createdAt,
          costUsd: 5,
          sandbox: true,
        },
        owner,
        input: {},
        work: { route: ['fal'], deadlineAt: createdAt, refusals: 0, misses: 0, polls: 0 },
        callbackSecret: '',
        dueAt: createdAt,
        queue: 'fal',
      })
    },
    async acceptOld() {
      const { account } = await jobs.ledger.createAccount({ name: 'old', balanceUsd: 1 })
      const { id } = await jobs.accept(account.id, 0.5)
      await mark(id)
      return { account: account.id, id }
    },
    /** Ends a job as version 0.1 did. */
    async holdOld(id: string): Promise<void> {
      const view = JSON.parse((await redis.hget(jobs.keys.job(id), 'view')) ?? '{}')
      await redis.hset(jobs.keys.job(id), 'view', JSON.stringify({ ...view, sandbox: undefined }))
      await jobs.fail(id, 'submission_unknown')
      await mark(id)
    },
  }
}
