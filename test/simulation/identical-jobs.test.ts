import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { createCleanup } from '../support/setup.ts'
import { type Bug, bugs } from './planted-bugs.ts'
import { startSimulationRedis } from './redis-process.ts'
import { simulate } from './run.ts'
import type { PlannedJob, Scenario } from './scenario.ts'
import { installVirtualDisk } from './virtual-disk.ts'
import { installVirtualTime } from './virtual-time.ts'

/** WaveSpeed lists the tasks of identical requests; nothing in them says which job they belong to. */
const job: PlannedJob = {
  atMs: 0,
  prompt: 'boat',
  owner: 'ann',
  route: ['wavespeed'],
  deadlineSeconds: 300,
  uploadMs: 0,
  fetchMs: 0,
  render: { ms: 15_000, end: 'done', callbacksMs: [] },
  actions: [],
}

const twoJobs: Omit<Scenario, 'faults'> = {
  salt: 1,
  jobs: [job, { ...job, owner: 'bob' }],
  callbacks: false,
  sharedDisk: true,
  replicas: false,
  maxInFlight: 0,
  decisions: [],
}

describe('simulation of identical jobs', () => {
  const cleanup = createCleanup()
  let redis: Redis

  before(async () => {
    redis = await startSimulationRedis(cleanup)
    cleanup.add(installVirtualTime())
    cleanup.add(installVirtualDisk())
  })
  after(() => cleanup.run())

  /** What 20 orders of the same calls break. */
  async function brokenBy(scenario: Scenario, bug?: Bug): Promise<string[]> {
    const broken: string[] = []
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const result = await simulate({ redis, scenario, scheduler, ...(bug && { bug }) })
      broken.push(...result.broken)
    })
    await fc.assert(property, { seed: 1, numRuns: 20 })
    return [...new Set(broken)]
  }

  it('a job with a failed call can claim the task of an identical job with a lost reply', async () => {
    const faults: Scenario['faults'] = [
      { kind: 'replyLost', at: { on: 'purchase', nth: 0 }, executed: false, error: 'reset' },
      { kind: 'replyLost', at: { on: 'purchase', nth: 1 }, executed: true, error: 'reset' },
    ]
    assert.deepEqual(await brokenBy({ ...twoJobs, faults }), [])
  })

  it('a job does not claim the task of an identical job whose reply arrived', async () => {
    const faults: Scenario['faults'] = [
      { kind: 'replyLost', at: { on: 'purchase', nth: 0 }, executed: false, error: 'reset' },
    ]
    assert.deepEqual(await brokenBy({ ...twoJobs, faults }), [])
    const broken = await brokenBy({ ...twoJobs, faults }, bugs['no task claim'])
    assert.match(broken.join('\n'), /job\d: succeeded with the task of another job/)
  })
})
