import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
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
  waitForPurchases,
  waitUntil,
} from './jobs.ts'
import { report } from './print-counts.ts'

const uploadMs = 4000
const video = `data:video/mp4;base64,${readFileSync(new URL('../../src/sandbox/sample.mp4', import.meta.url)).toString('base64')}`

/** Each way to cancel a job. */
const cancels: readonly ((client: Client, id: string) => ReturnType<Client['request']>)[] = [
  (client, id) => client.request('POST', '/api/generate-video/cancel', { runId: id }),
  (client, id) => client.request('DELETE', `/api/jobs/${id}`),
  (client, id) => client.request('DELETE', `/v1/videos/${id}`),
]

describe('a cancel or a deadline before the purchase', () => {
  const cleanup = createCleanup()
  let upstreams: MockUpstreams

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 2000)
  })
  after(() => cleanup.run())

  async function startGateway(more: Record<string, string> = {}) {
    const { redis, client } = await startWholeGateway(cleanup, { ...upstreams.env, ...more })
    return { host: upstreams.host, redis, client }
  }

  /** Jobs with a file that WaveSpeed takes `ms` to receive. */
  async function upload(client: Client, name: string, ms: number): Promise<SentJob[]> {
    const { host } = upstreams
    host.injectFault({ provider: 'wavespeed', operation: 'upload', kind: 'late', ms, times: cancels.length })
    const jobs: SentJob[] = []
    for (let number = 0; number < cancels.length; number++) {
      const mark = `job-${name}-${number}-end`
      const { status, body } = await client.submit({ ...requestFor('wavespeed', mark), video })
      assert.equal(status, 202, JSON.stringify(body))
      jobs.push({ id: body.runId, provider: 'wavespeed', mark })
    }
    assert.ok(await waitUntil(() => host.countPending('wavespeed') === 0, { everyMs: 20 }), 'no upload began')
    return jobs
  }

  type Gateway = Awaited<ReturnType<typeof startGateway>>

  async function assertPrevented(
    suite: string,
    gateway: Gateway,
    jobs: readonly SentJob[],
    end: string,
  ): Promise<void> {
    const counts = await countJobs({ ...gateway, jobs })
    report({ suite, faults: 1, ...counts })
    assertSound(counts)
    const { ends, made } = counts
    const bought = made.filter((count) => count > 0).length
    assert.equal(bought, 0, `${bought} of ${jobs.length} jobs were purchased; ends: ${JSON.stringify(ends)}`)
    assert.deepEqual(ends, { [end]: jobs.length })
    for (const kinds of await ledgerKinds(gateway.redis, jobs))
      assert.deepEqual(kinds, ['reserve', 'release'])
  }

  it('a cancel during a 4 s upload prevents the purchase', async () => {
    const gateway = await startGateway()
    const jobs = await upload(gateway.client, 'uploading', uploadMs)
    const replies = await Promise.all(jobs.map(({ id }, way) => cancels[way]?.(gateway.client, id)))
    assert.deepEqual(
      replies.map((reply) => reply?.status),
      cancels.map(() => 200),
    )
    await assertPrevented('cancel during an upload', gateway, jobs, 'failed canceled')
  })

  it('a deadline during the upload prevents the purchase', async () => {
    const gateway = await startGateway({ MAX_JOB_SECONDS: '3' })
    const jobs = await upload(gateway.client, 'overdue', 3000 + uploadMs)
    await assertPrevented('deadline during an upload', gateway, jobs, 'failed timeout')
  })

  it('a cancel while the job waits for a slot prevents the purchase', async () => {
    const gateway = await startGateway({ FAL_MAX_IN_FLIGHT: '1' })
    const { client, host } = gateway
    const first = await submitJobs(client, { name: 'first', count: 1, providers: ['fal'] })
    await waitForPurchases(host, first)
    const waiting = await submitJobs(client, { name: 'waiting', count: 3, providers: ['fal'] })
    for (const [way, { id }] of waiting.entries())
      assert.equal((await cancels[way]?.(client, id))?.status, 200)
    const last = await submitJobs(client, { name: 'last', count: 1, providers: ['fal'] })
    await assertPrevented('cancel while waiting for a slot', gateway, waiting, 'failed canceled')
    const { ends } = await countJobs({ ...gateway, jobs: [...first, ...last] })
    assert.deepEqual(ends, { succeeded: 2 })
  })

  it('a cancel at any time: a refunded job has no running task at the upstream', async () => {
    const gateway = await startGateway()
    const { client, host, redis } = gateway
    const providers: readonly Upstream[] = ['fal', 'wavespeed']
    const jobs: SentJob[] = []
    for (let round = 0; round < 15; round++) {
      const submitted = await submitJobs(client, { name: `race-${round}`, count: 1, providers })
      jobs.push(...submitted)
      await sleep(4 * round)
      await Promise.all(submitted.map(({ id }) => cancels[0]?.(client, id)))
    }
    const counts = await countJobs({ ...gateway, jobs })
    // The result of a canceled render is discarded.
    const { discarded: _, ...counted } = counts
    report({ suite: 'cancel at any moment', faults: 1, ...counted })
    assertSound(counts)
    const kinds = await ledgerKinds(redis, jobs)
    const tasks = (await Promise.all(providers.map((provider) => host.tasks(provider)))).flat()
    const unpaid = jobs.filter(({ mark }, index) => {
      const task = tasks.find(({ body }) => JSON.stringify(body).includes(mark))
      return task !== undefined && task.canceledAt === undefined && kinds[index]?.includes('release')
    })
    assert.deepEqual(unpaid, [], 'refunded, although the upstream renders it')
  })
})
