import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InjectedFault } from '../../src/sandbox/fault-injection.ts'
import { createCleanup } from '../support/setup.ts'
import { startMockUpstreams, startWholeGateway } from './gateway.ts'
import {
  assertKept,
  assertSound,
  countJobs,
  ledgerKinds,
  submitJobs,
  type Upstream,
  waitForPurchases,
} from './jobs.ts'
import { report } from './print-counts.ts'

/** `DENIED_MS=70000` for a long run. */
const deniedMs = Number(process.env.DENIED_MS ?? 20_000)

/** The reply of each upstream for an unknown task. */
const denials: Readonly<Record<'fal' | 'wavespeed' | 'bytedance' | 'magicapi', Partial<InjectedFault>>> = {
  fal: { status: 404, body: { detail: 'Request not found' } },
  wavespeed: { status: 404, body: { code: 404, message: 'Prediction not found' } },
  bytedance: { status: 404, body: { error: { code: 'ResourceNotFound', message: 'Task not found' } } },
  magicapi: { status: 404, body: { message: 'Task not found' } },
}
const providers = Object.keys(denials) as (Upstream & keyof typeof denials)[]

/** Each test has its own upstreams, so that both can wait at the same time. */
describe('upstreams that deny existing tasks', { concurrency: true }, () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  async function startGateway(lostMinutes: number) {
    const upstreams = await startMockUpstreams(cleanup, 1000)
    const { redis, client } = await startWholeGateway(cleanup, {
      ...upstreams.env,
      TASK_LOST_MINUTES: String(lostMinutes),
    })
    return { host: upstreams.host, redis, client }
  }

  async function purchaseAndDeny(name: string, gateway: Awaited<ReturnType<typeof startGateway>>) {
    const { host, client } = gateway
    for (const provider of providers)
      host.injectFault({ kind: 'status', ...denials[provider], provider, operation: 'poll', times: 1e9 })
    const jobs = await submitJobs(client, { name, count: 3, providers })
    await waitForPurchases(host, jobs)
    return jobs
  }

  describe('temporarily', () => {
    let gateway: Awaited<ReturnType<typeof startGateway>>
    before(async () => {
      gateway = await startGateway(Math.floor(deniedMs / 60_000) + 1)
    })

    it('polling continues, and every job succeeds', async () => {
      const jobs = await purchaseAndDeny('denied', gateway)
      await sleep(deniedMs)
      for (const provider of providers) gateway.host.clearFaults(provider)
      const counts = await countJobs({ ...gateway, jobs })
      report({ suite: `polls return 404 for ${deniedMs / 1000} s`, faults: 1, ...counts })
      assertKept(counts)
    })
  })

  describe('permanently', () => {
    let gateway: Awaited<ReturnType<typeof startGateway>>
    before(async () => {
      gateway = await startGateway(1)
    })

    it('the job ends as task_lost after TASK_LOST_MINUTES, with the money on hold', async () => {
      const startedAt = performance.now()
      const jobs = await purchaseAndDeny('forgotten', gateway)
      const counts = await countJobs({ ...gateway, jobs })
      const tookMs = performance.now() - startedAt
      // The upstream denies the tasks, so there is no result to keep.
      const { discarded: _, ...counted } = counts
      report({ suite: 'polls always return 404', faults: 1, ...counted })
      assertSound(counts)
      assert.deepEqual(counts.ends, { 'failed task_lost': jobs.length })
      assert.ok(tookMs >= 60_000, `gave the tasks up after ${Math.round(tookMs / 1000)} s`)
      const kinds = await ledgerKinds(gateway.redis, jobs)
      assert.deepEqual(new Set(kinds.flat()), new Set(['reserve', 'hold']), 'the money is on hold')
    })
  })
})
