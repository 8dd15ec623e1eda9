import assert from 'node:assert/strict'
import { fault } from '../../providers/faults.ts'
import { createEngine } from '../../src/jobs/engine.ts'
import type { Job } from '../../src/jobs/job.ts'
import { createQueues } from '../../src/jobs/queues.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createFailedTransition, createTransition, type Transition } from '../../src/jobs/store/transition.ts'
import { createJobWatchers } from '../../src/jobs/watchers.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createMemoryEngine } from '../api/memory-engine.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { type EngineUnderTest, testEngineContract } from './engine-contract.ts'

testEngineContract('the engine on Redis', startEngine)

testEngineContract('the double in memory', async () => {
  const engine = createMemoryEngine()
  return {
    engine,
    advance: async (id, change) => engine.advance(id, change),
    // Its worker is at once.
    runCancel: async () => undefined,
    breakDown: () => engine.breakDown(),
    close: () => undefined,
  }
})

async function startEngine(): Promise<EngineUnderTest> {
  const cleanup = createCleanup()
  const { redis } = await startRedis(cleanup)
  const keys = createKeys('contract:')
  const store = createJobStore({ redis, keys, keepMs: 3_600_000 })
  const queues = createQueues({ redis, keys, names: ['fal'] })
  cleanup.add(() => queues.close())
  const subscriber = redis.duplicate()
  cleanup.add(() => subscriber.disconnect())
  const watchers = createJobWatchers({ subscriber, keys })
  cleanup.add(() => watchers.close())
  async function takeStep(id: string, decide: (job: Job) => Transition): Promise<void> {
    const job = await store.claimStep(id, Date.now())
    assert.ok(typeof job === 'object', `${id}: ${job}`)
    assert.ok(await store.write(job, decide(job)), `${id} was not written`)
  }

  return {
    engine: createEngine({
      store,
      queues,
      watchers,
      longestJobSeconds: 3600,
      withdraw: async () => undefined,
    }),
    async advance(id, change) {
      await takeStep(id, (job) => createTransition(job, { view: change, now: Date.now() }))
      const status = await store.readStatus(id)
      return status?.view ?? assert.fail(id)
    },
    async runCancel(id) {
      await takeStep(id, (job) => {
        assert.ok(job.cancelRequested)
        return createFailedTransition(job, fault('canceled', 'canceled'), Date.now())
      })
    },
    async breakDown() {
      redis.disconnect()
      subscriber.disconnect()
    },
    close: () => cleanup.run(),
  }
}
