import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { createCleanup } from '../support/setup.ts'
import { type Node, startNode, startServer } from './cluster.ts'
import { type MockUpstreams, startGateway, startMockUpstreams } from './gateway.ts'
import {
  assertKept,
  type Client,
  countJobs,
  purchasesOf,
  redisKeys,
  type SentJob,
  stateOf,
  submitJobs,
  type Upstream,
  waitForPurchases,
  waitUntil,
} from './jobs.ts'
import { report } from './print-counts.ts'

const providers: readonly Upstream[] = ['fal', 'wavespeed', 'runware']
const ahead = 40 * 60_000
const behind = -ahead

describe('workers whose clocks are 40 minutes off', () => {
  const cleanup = createCleanup()
  const workers = createCleanup()
  let upstreams: MockUpstreams
  let server: Awaited<ReturnType<typeof startServer>>
  let client: Client
  let env: Record<string, string>

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 6000)
    server = await startServer(cleanup)
    const gateway = await startGateway(cleanup, {
      redis: server.redis,
      env: {
        ...upstreams.env,
        REDIS_URL: server.path,
        // Less than the clock skew: with the wrong clock every job would be overdue.
        MAX_JOB_SECONDS: '1800',
      },
    })
    env = gateway.env
    client = gateway.client
  })
  after(() => cleanup.run())
  afterEach(() => workers.run())

  async function startWorker(more: Record<string, string> = {}) {
    const worker = await startNode({ ...env, ROLE: 'worker', LOG_LEVEL: 'warn', ...more })
    workers.add(() => worker.kill())
    return worker
  }

  function startSkewed(offsetMs: number, more: Record<string, string> = {}) {
    return startWorker({
      NODE_OPTIONS: `--import=${import.meta.resolve('./clock-offset.ts')}`,
      CLOCK_OFFSET_MS: String(offsetMs),
      ...more,
    })
  }

  async function check(suite: string, jobs: readonly SentJob[]): Promise<void> {
    const counts = await countJobs({ host: upstreams.host, redis: server.redis, client, jobs })
    report({ suite, faults: 2, ...counts })
    assertKept(counts)
    assert.equal(counts.ends.succeeded, jobs.length, JSON.stringify(counts.ends))
    for (const { id } of jobs) {
      const entries = await server.redis.lrange(redisKeys.history(id), 0, -1)
      const times = entries.map((entry) => (JSON.parse(entry) as { at: number }).at)
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
        `the history of ${id} goes back in time`,
      )
      const [first = 0, last = 0] = [times[0], times.at(-1)]
      assert.ok(last - first < 10 * 60_000, `the history of ${id} spans ${last - first} ms`)
    }
  }

  async function assertExplained(nodes: readonly Node[]): Promise<void> {
    for (const { log } of nodes)
      assert.ok(await waitUntil(() => /clock/i.test(log.join('\n'))), 'the log does not name the clock')
  }

  it('run no steps, log why, and leave the jobs to others', async () => {
    const skewed = await Promise.all([startSkewed(ahead), startSkewed(behind)])
    const jobs = await submitJobs(client, { name: 'skewed', count: 4, providers })
    const touched = async () => {
      const states = await Promise.all(jobs.map((job) => stateOf(server.redis, job)))
      const made = await purchasesOf(upstreams.host, jobs)
      return states.some((state) => state !== 'pending') || made.some((count) => count > 0)
    }
    const early = await waitUntil(touched, { times: 60, everyMs: 50 })
    await startWorker()
    await check('workers 40 minutes ahead and behind', jobs)
    assert.ok(!early, 'a worker with a wrong clock has taken a step')
    await assertExplained(skewed)
  })

  it('time nothing out when their clock jumps, and log why they run no more steps', async () => {
    const jumping = await Promise.all(
      [ahead, behind].map((offsetMs) => startSkewed(offsetMs, { CLOCK_JUMPS: '1' })),
    )
    const jobs = await submitJobs(client, { name: 'jumped', count: 4, providers })
    await waitForPurchases(upstreams.host, jobs)
    for (const node of jumping) node.signal('SIGWINCH')
    await startWorker()
    await check('clocks of two workers jump by 40 minutes', jobs)
    await assertExplained(jumping)
  })
})
