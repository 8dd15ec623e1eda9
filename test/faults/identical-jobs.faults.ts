import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createCleanup } from '../support/setup.ts'
import { type MockUpstreams, startMockUpstreams, startWholeGateway } from './gateway.ts'
import {
  assertSound,
  type Client,
  countJobs,
  ledgerKinds,
  requestFor,
  type SentJob,
  submitJobs,
  type Upstream,
  waitUntil,
} from './jobs.ts'
import { report } from './print-counts.ts'

const pairs = 4

describe('a task belongs to one job', () => {
  const cleanup = createCleanup()
  let upstreams: MockUpstreams
  let gateway: Pick<MockUpstreams, 'host'> & { redis: Redis; client: Client }

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 2000)
    const { redis, client } = await startWholeGateway(cleanup, { ...upstreams.env, RECONCILE_SECONDS: '15' })
    gateway = { host: upstreams.host, redis, client }
  })
  after(() => cleanup.run())

  async function submitMarked(provider: Upstream, mark: string): Promise<SentJob> {
    const { status, body } = await gateway.client.submit(requestFor(provider, mark))
    assert.equal(status, 202, JSON.stringify(body))
    return { id: body.runId, provider, mark }
  }

  /** The upstream has had all calls that were to go wrong. */
  async function allFailed({ host }: typeof gateway, provider: Upstream): Promise<void> {
    assert.ok(
      await waitUntil(() => host.countPending(provider) === 0, { everyMs: 20 }),
      'the calls were not made',
    )
  }

  describe('two identical jobs', { concurrency: true }, () => {
    for (const provider of ['wavespeed', 'bytedance'] as const) {
      it(`${provider}: the job with the failed call does not claim the task of the other`, async () => {
        const marks = Array.from({ length: pairs }, (_, number) => `job-twin-${provider}-${number}-end`)
        const fault = { provider, operation: 'submit', times: pairs }
        gateway.host.injectFault({ ...fault, kind: 'reset' })
        const died: SentJob[] = []
        for (const mark of marks) died.push(await submitMarked(provider, mark))
        await allFailed(gateway, provider)
        gateway.host.injectFault({ ...fault, kind: 'late', ms: 6000 })
        const slow: SentJob[] = []
        for (const mark of marks) slow.push(await submitMarked(provider, mark))

        const counts = await countJobs({ ...gateway, jobs: [...died, ...slow] })
        // Of the two jobs, one has no task: it cannot succeed.
        const { discarded: _, ...counted } = counts
        report({ suite: `identical jobs, one call dead, one reply slow, ${provider}`, faults: 2, ...counted })
        assertSound(counts)
        const ends = marks.map((_, number) => [counts.ended[number], counts.ended[number + pairs]])
        const shared = ends.filter((pair) => pair.every((end) => end === 'succeeded'))
        assert.equal(shared.length, 0, `${shared.length} of ${pairs} pairs of jobs share one task`)
        const succeeded = ends.filter((pair) => pair.includes('succeeded'))
        assert.equal(succeeded.length, pairs, `only ${succeeded.length} of ${pairs} renders were kept`)
        const charges = (await ledgerKinds(gateway.redis, [...died, ...slow])).flat()
        assert.equal(charges.filter((kind) => kind === 'charge').length, pairs)
      })
    }
  })

  const replies: Readonly<Partial<Record<Upstream, (id: string) => unknown>>> = {
    fal: (id) => {
      const url = `${upstreams.host.upstreams.fal.baseUrls.queue}/fal-ai/kling-video/requests/${id}`
      return {
        request_id: id,
        status_url: `${url}/status`,
        response_url: url,
        cancel_url: `${url}/cancel`,
        status: 'IN_QUEUE',
      }
    },
    wavespeed: (id) => ({
      code: 200,
      message: 'success',
      data: { id, model: 'wavespeed-ai/wan-2.2/video-edit', status: 'created', outputs: [] },
    }),
    bytedance: (id) => ({ id }),
    magicapi: (id) => ({ id, status: 'IN_QUEUE' }),
  }

  it('an upstream returns one ID for two jobs: only one job has the task', async () => {
    const providers = Object.keys(replies) as Upstream[]
    const { host } = gateway
    const first = await submitJobs(gateway.client, { name: 'first', count: 1, providers })
    const second: SentJob[] = []
    for (const job of first) {
      const { provider, mark } = job
      const made = async () =>
        (await host.tasks(provider)).find(({ body }) => JSON.stringify(body).includes(mark))
      await waitUntil(async () => (await made()) !== undefined, { everyMs: 20 })
      const { id } = (await made()) ?? assert.fail(`${provider} has no task of the first job`)
      host.injectFault({
        provider,
        operation: 'submit',
        kind: 'status',
        status: 200,
        body: replies[provider]?.(id),
        times: 1,
      })
      second.push(...(await submitJobs(gateway.client, { name: 'second', count: 1, providers: [provider] })))
    }
    const jobs = [...first, ...second]
    const counts = await countJobs({ ...gateway, jobs })
    report({ suite: 'one upstream ID for two jobs', faults: 1, ...counts })
    const shared = second
      .filter((_, index) => counts.ended[first.length + index] === 'succeeded')
      .map(({ provider }) => provider)
    assert.deepEqual(shared, [], 'two jobs succeeded with one task')
    assertSound(counts)
  })
})
