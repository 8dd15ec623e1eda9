import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { createCleanup, temporaryFolder } from '../support/setup.ts'
import { type MockUpstreams, startGateway, startMockUpstreams, waitForReplies } from './gateway.ts'
import {
  assertKept,
  type Client,
  countJobs,
  endOf,
  purchasesOf,
  requestFor,
  type SentJob,
  submitJobs,
  type Upstream,
  waitForPurchases,
  waitUntil,
} from './jobs.ts'
import { report } from './print-counts.ts'
import { startPair, startReplicated } from './replication.ts'

const providers: readonly Upstream[] = ['fal', 'wavespeed', 'runware']

describe('the primary fails with writes that its replica does not have', () => {
  const cleanup = createCleanup()
  let upstreams: MockUpstreams

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 4000)
  })
  after(() => cleanup.run())

  async function startOnPair(more: Record<string, string> = {}, { delayMs = 0 } = {}) {
    const pair = await startPair(cleanup, { delayMs })
    const env = { ...upstreams.env, REDIS_URL: pair.url, ...more }
    const { client, startWorker } = await startGateway(cleanup, { redis: pair.primary.redis, env })
    return { pair, client, worker: await startWorker(), startWorker }
  }

  it('the worker survives: nothing is purchased again, with half of the replies in flight and half lost', async () => {
    const { host } = upstreams
    const { pair, client, worker } = await startOnPair()
    worker.freeze()
    const jobs = await submitJobs(client, { name: 'failover', count: 12, providers })
    await pair.cutReplication()
    for (const provider of providers)
      host.injectFault({ provider, operation: 'submit', kind: 'late', ms: 5000, times: 6 })
    worker.thaw()
    await waitForPurchases(host, jobs)
    await waitForReplies(pair.primary.redis, jobs, 18)
    await pair.failOver()

    const counts = await countJobs({ host, redis: pair.replica.redis, client, jobs })
    report({ suite: 'failover to a replica without the intents, worker alive', faults: 1, ...counts })
    assertKept(counts)
  })

  it('the worker fails too: REDIS_WAIT_REPLICAS=1 purchases nothing that is missing on the replica', async () => {
    const { host } = upstreams
    const { pair, client, worker, startWorker } = await startOnPair({ REDIS_WAIT_REPLICAS: '1' })
    const submitted = await submitJobs(client, { name: 'known', count: 6, providers })
    await waitForReplies(pair.replica.redis, submitted, submitted.length)

    worker.freeze()
    const unknown = await submitJobs(client, { name: 'late', count: 6, providers })
    await pair.cutReplication()
    worker.thaw()
    const purchased = async () => (await purchasesOf(host, unknown)).some((count) => count > 0)
    const early = await waitUntil(purchased, { times: 60, everyMs: 50 })
    if (early) await waitForPurchases(host, unknown)
    await worker.kill()
    await pair.failOver()
    await startReplicated(cleanup, pair.replica.port)
    // On another machine: the journal of the first worker is out of reach.
    await startWorker({ DATA_DIR: await temporaryFolder(cleanup) })

    const jobs = [...submitted, ...unknown]
    const counts = await countJobs({ host, redis: pair.replica.redis, client, jobs })
    report({ suite: 'failover, worker dead, REDIS_WAIT_REPLICAS=1', faults: 2, ...counts })
    assertKept(counts)
    assert.ok(!early, 'a job was purchased without the acknowledgement of the replica')
  })

  /** Jobs that are purchased while the replica gets no writes. */
  async function purchaseUnreplicated(name: string, more: Record<string, string> = {}) {
    const gateway = await startOnPair(more)
    gateway.worker.freeze()
    const jobs = await submitJobs(gateway.client, { name, count: 4, providers })
    await gateway.pair.cutReplication()
    gateway.worker.thaw()
    await waitForPurchases(upstreams.host, jobs)
    const finish = async (redis: Redis, suite: string) => {
      const counts = await countJobs({ host: upstreams.host, redis, client: gateway.client, jobs })
      report({ suite, faults: 1, ...counts })
      assertKept(counts)
    }
    return { ...gateway.pair, finish }
  }

  it('and becomes the primary again with the data of the replica, in the same process with the same connections', async () => {
    const { primary, replica, finish } = await purchaseUnreplicated('back')
    await replica.redis.replicaof('NO', 'ONE')
    await primary.redis.replicaof('127.0.0.1', String(replica.port))
    const linked = async () => (await primary.redis.info('replication')).includes('master_link_status:up')
    assert.ok(await waitUntil(linked, { everyMs: 20 }))
    await primary.redis.replicaof('NO', 'ONE')
    await finish(primary.redis, 'failover there and back')
  })

  it('and nothing pauses: a worker does not repeat its own purchases', async () => {
    const { replica, failOver, finish } = await purchaseUnreplicated('no grace', {
      REDIS_FAILOVER_GRACE_SECONDS: '0',
    })
    await failOver()
    await finish(replica.redis, 'failover without a grace time')
  })

  it('or becomes a replica without closing connections', async () => {
    const { primary, replica, entrance, finish } = await purchaseUnreplicated('demoted')
    await replica.redis.replicaof('NO', 'ONE')
    entrance.leadTo({ path: replica.path }, { cut: false })
    await primary.redis.replicaof('127.0.0.1', String(replica.port))
    await finish(replica.redis, 'failover, the old primary continues as a replica')
  })

  it('or stops replying without closing connections', async () => {
    const { primary, replica, entrance, finish } = await purchaseUnreplicated('silent')
    primary.freeze()
    await replica.redis.replicaof('NO', 'ONE')
    entrance.leadTo({ path: replica.path }, { cut: false })
    await finish(replica.redis, 'failover, the machine of the old primary is cut off').finally(primary.thaw)
  })

  /** Submits like a client without retries: returns the job if it was accepted, otherwise the status. */
  async function trySubmit(client: Client, provider: Upstream, mark: string, headers = {}) {
    const body = requestFor(provider, mark)
    const reply = await client.request('POST', '/api/generate-video', body, headers).catch(() => undefined)
    return { status: reply?.status, job: { id: reply?.body.runId ?? '', provider, mark } }
  }

  it('accepted on one machine only: 503, and nothing is purchased, before or after the failover', async () => {
    const { host } = upstreams
    const { pair, client } = await startOnPair({ REDIS_WAIT_REPLICAS: '1', REDIS_WAIT_MS: '500' })
    await pair.cutReplication()
    const submitAll = (name: string, isKeyed: boolean) =>
      Promise.all(
        providers.flatMap((provider) =>
          Array.from({ length: 4 }, (_, number) => {
            const mark = `job-${name}-${provider}-${number}-end`
            return trySubmit(client, provider, mark, isKeyed ? { 'idempotency-key': mark } : {})
          }),
        ),
      )
    const plain = await submitAll('plain', false)
    const keyed = await submitAll('keyed', true)
    const repeated = await submitAll('keyed', true)
    const refused = [...plain, ...keyed]
    assert.deepEqual(new Set(refused.map(({ status }) => status)), new Set([503]))
    const marked = refused.map(({ job }) => job)
    const purchased = async () => (await purchasesOf(host, marked)).some((count) => count > 0)
    assert.ok(!(await waitUntil(purchased, { times: 60, everyMs: 50 })), 'a refused job was purchased')

    await pair.failOver()
    await startReplicated(cleanup, pair.replica.port)
    const jobs = await retryAll()
    const counts = await countJobs({ host, redis: pair.replica.redis, client, jobs })
    report({ suite: 'accepted on one machine only, then a failover', faults: 1, ...counts })
    assertKept(counts)
    assert.deepEqual(counts.ends, { succeeded: jobs.length })
    assert.deepEqual(new Set(await purchasesOf(host, marked.slice(0, plain.length))), new Set([0]))
    const early = repeated.filter(({ status }) => status === 202).length
    assert.equal(early, 0, `${early} repeated submits returned 202 before a replica had the job`)

    /** Repeats the submits that carry an idempotency key until they are accepted. */
    async function retryAll(): Promise<SentJob[]> {
      let replies = keyed
      const accepted = async () => {
        replies = await submitAll('keyed', true)
        return replies.every(({ status }) => status === 202)
      }
      assert.ok(await waitUntil(accepted), 'the submits are not accepted after the failover')
      return replies.map(({ job }) => job)
    }
  })

  it('the primary fails right after the 202: no accepted job is lost, and no rejected job is charged', async () => {
    const { host } = upstreams
    const delayMs = 200
    const { pair, client } = await startOnPair({ REDIS_WAIT_REPLICAS: '1' }, { delayMs })
    const accepted: SentJob[] = []
    const refused: SentJob[] = []
    let submitting = true
    cleanup.add(() => {
      submitting = false
    })
    const clients = providers.map(async (provider) => {
      for (let number = 0; submitting; number++) {
        const { status, job } = await trySubmit(client, provider, `job-dying-${provider}-${number}-end`)
        if (status === 202) accepted.push(job)
        else refused.push(job)
        if (status !== 202) await sleep(50)
      }
    })
    assert.ok(
      await waitUntil(() => accepted.length >= 24, { times: 6000, everyMs: 5 }),
      'the submits are not accepted',
    )
    await pair.failOver()
    await startReplicated(cleanup, pair.replica.port)
    const before = accepted.length
    assert.ok(await waitUntil(() => accepted.length >= before + 6, { everyMs: 20 }), 'no submit is accepted')
    submitting = false
    await Promise.all(clients)

    const counts = await countJobs({ host, redis: pair.replica.redis, client, jobs: accepted })
    report({ suite: 'the primary dies right after the 202, `REDIS_WAIT_REPLICAS=1`', faults: 1, ...counts })
    assertKept(counts)
    assert.deepEqual(counts.ends, { succeeded: accepted.length })
    assert.notEqual(refused.length, 0)
    // A purchase and the reply to its submit are confirmed together: a purchased but rejected job is canceled, and costs nothing.
    const made = await purchasesOf(host, refused)
    const purchased = refused.filter((_, index) => (made[index] ?? 0) > 0).map(({ mark }) => mark)
    const { data } = (await client.request('GET', '/api/jobs?limit=100')).body as unknown as {
      data: readonly { id: string; costUsd: number }[]
    }
    for (const { id } of data.filter(({ id }) => !accepted.some((job) => job.id === id))) {
      const { prompt } = (await client.request('GET', `/api/jobs/${id}`)).body as { prompt?: string }
      if (purchased.includes(prompt ?? ''))
        assert.match((await endOf(client, { id } as SentJob)) ?? '', /canceled/)
    }
    const usage = (await client.request('GET', '/api/usage')).body as unknown as { data: { usd: number }[] }
    const charged = usage.data.reduce((sum, { usd }) => sum + usd, 0)
    const owed = data.reduce(
      (sum, { id, costUsd }) => sum + (accepted.some((job) => job.id === id) ? costUsd : 0),
      0,
    )
    assert.ok(Math.abs(charged - owed) < 0.005, `${charged} USD charged, ${owed} USD owed`)
  })
})
