import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCleanup } from '../support/setup.ts'
import { type MockUpstreams, startMockUpstreams, startWholeGateway } from './gateway.ts'
import { assertKept, type Client, countJobs, purchasesOf, requestFor, type SentJob } from './jobs.ts'
import { report } from './print-counts.ts'

const unreachableMs = Number(process.env.UNREACHABLE_MS ?? 30_000)
const outageMs = Number(process.env.OUTAGE_MS ?? 8000)

/** Each group has its own Redis and gateway, so that they can wait at the same time. */
describe('Redis outages', { concurrency: true }, () => {
  const cleanup = createCleanup()
  let upstreams: MockUpstreams

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 1000)
  })
  after(() => cleanup.run())

  async function startGateway() {
    const gateway = await startWholeGateway(cleanup, { ...upstreams.env, POLL_MAX_MS: '200' })
    await gateway.startWorker()
    return gateway
  }

  /** The accepted jobs, and the rest with the status of their replies. */
  async function submitMany(client: Client, name: string, count: number, pauseMs = 5) {
    const jobs: SentJob[] = []
    const refused: (SentJob & { status: number })[] = []
    for (let number = 0; number < count; number++) {
      const mark = `job-${name}-${number}-end`
      const { status, body } = await client.submit(requestFor('fal', mark))
      const job = { id: body.runId, provider: 'fal', mark } as const
      if (status === 202) jobs.push(job)
      else refused.push({ ...job, status })
      await sleep(pauseMs)
    }
    return { jobs, refused }
  }

  type Gateway = Awaited<ReturnType<typeof startGateway>>
  type Submitted = Awaited<ReturnType<typeof submitMany>>

  async function check(suite: string, { server, client }: Gateway, { jobs, refused }: Submitted) {
    const { host } = upstreams
    const counts = await countJobs({ host, redis: server.redis, client, jobs })
    report({ suite, faults: 1, ...counts })
    assertKept(counts)
    assert.deepEqual(counts.ends, { succeeded: jobs.length })
    assert.deepEqual(
      refused.filter(({ status }) => status !== 503),
      [],
    )
    const purchased = (await purchasesOf(host, refused)).filter((count) => count > 0).length
    assert.equal(purchased, 0, `${purchased} of ${refused.length} refused jobs were purchased`)
  }

  describe('with closed connections', { concurrency: 1 }, () => {
    let gateway: Gateway
    before(async () => {
      gateway = await startGateway()
    })

    it('killed and restarted under load: accepted jobs end, the others got 503', async () => {
      const { server, client } = gateway
      const load = submitMany(client, 'killed', 120, 25)
      await sleep(300)
      await server.kill()
      await sleep(1000)
      await server.start()
      const submitted = await load
      assert.ok(submitted.jobs.length > 20)
      await check('Redis killed under load', gateway, submitted)
    })

    it('unavailable for longer: submits are rejected at once, and jobs continue automatically afterwards', async () => {
      const { server, client } = gateway
      const { jobs } = await submitMany(client, 'away', 20)
      await server.kill()
      const { refused } = await submitMany(client, 'refused', 1)
      assert.equal(refused.length, 1)
      await sleep(outageMs)
      await server.start()
      await check(`Redis stopped for ${outageMs / 1000} s`, gateway, { jobs, refused })
    })

    it('out of memory: submits are rejected, and accepted jobs end when memory is free again', async () => {
      const { server, client } = gateway
      const { jobs } = await submitMany(client, 'full', 10)
      await server.redis.config('SET', 'maxmemory', '1mb')
      const { refused } = await submitMany(client, 'no-room', 1)
      assert.equal(refused.length, 1)
      await sleep(1000)
      await server.redis.config('SET', 'maxmemory', '0')
      await check('Redis out of memory', gateway, { jobs, refused })
    })
  })

  describe('with open connections', () => {
    let gateway: Gateway
    before(async () => {
      gateway = await startGateway()
    })

    it('unreachable: submits are rejected, and none of them is purchased when Redis is back', async () => {
      const { server, client } = gateway
      const { jobs } = await submitMany(client, 'before', 20)
      server.freeze()
      const attempts = Array.from({ length: 10 }, (_, number) =>
        submitMany(client, `unreachable-${number}`, 1),
      )
      const refused = (await Promise.all(attempts)).flatMap((attempt) => attempt.refused)
      assert.equal(refused.length, 10)
      await sleep(unreachableMs)
      server.thaw()
      await check(`Redis unreachable for ${unreachableMs / 1000} s`, gateway, { jobs, refused })
    })
  })
})
