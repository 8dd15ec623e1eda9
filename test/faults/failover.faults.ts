import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Cleanup, createCleanup, temporaryFolder } from '../setup.ts'
import { freePort, startNode, startServer } from './cluster.ts'
import {
  assertKept,
  countJobs,
  createAccount,
  purchasesOf,
  startMockUpstreams,
  stateOf,
  submitJobs,
  type Upstream,
  waitForPurchases,
  waitUntil,
} from './jobs.ts'
import { startProxy } from './proxy.ts'
import { report } from './report.ts'

const providers: readonly Upstream[] = ['fal', 'wavespeed', 'runware']

/** A server that others can replicate; `of` is the port of its own primary. */
async function startReplicated(cleanup: Cleanup, of?: number) {
  const port = await freePort()
  const server = await startServer(cleanup, [
    ...['--port', String(port), '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0'],
    ...(of === undefined ? [] : ['--replicaof', '127.0.0.1', String(of)]),
  ])
  const linked = async () => (await server.redis.info('replication')).includes('master_link_status:up')
  if (of !== undefined) assert.ok(await waitUntil(linked, { everyMs: 20 }), 'the replica does not sync')
  return { ...server, port }
}

/** A primary with one replica, behind one address that leads to whichever is the primary. */
async function startPair(cleanup: Cleanup) {
  const primary = await startReplicated(cleanup)
  const link = await startProxy(cleanup, { port: primary.port })
  const replica = await startReplicated(cleanup, link.port)
  const entrance = await startProxy(cleanup, { path: primary.path })
  return {
    url: `redis://127.0.0.1:${entrance.port}`,
    primary,
    replica,
    /** The replica has everything written so far, and nothing later. */
    async cutReplication(): Promise<void> {
      await primary.redis.set('replicated', '1')
      assert.equal(await primary.redis.wait(1, 10_000), 1)
      link.cut()
    },
    async failOver(): Promise<void> {
      await primary.kill()
      await replica.redis.replicaof('NO', 'ONE')
      entrance.leadTo({ path: replica.path })
    },
  }
}

describe('the primary dies with writes that its replica does not have', () => {
  const cleanup = createCleanup()
  let upstreams: Awaited<ReturnType<typeof startMockUpstreams>>

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 4000)
  })
  after(() => cleanup.run())

  async function startGateway(more: Record<string, string> = {}) {
    const pair = await startPair(cleanup)
    const env = {
      ...upstreams.env,
      REDIS_URL: pair.url,
      DATA_DIR: await temporaryFolder(cleanup),
      ...more,
    }
    const api = await startNode({ ...env, ROLE: 'api' })
    cleanup.add(() => api.kill())
    const { client } = await createAccount(pair.primary.redis, api.address)
    const startWorker = async (own: Record<string, string> = {}) => {
      const worker = await startNode({ ...env, ROLE: 'worker', ...own })
      cleanup.add(() => worker.kill())
      return worker
    }
    return { pair, client, worker: await startWorker(), startWorker }
  }

  it('the worker lives: nothing is purchased again, with half of the replies in flight and half lost', async () => {
    const { host } = upstreams
    const { pair, client, worker } = await startGateway()
    worker.freeze()
    const jobs = await submitJobs(client, { name: 'failover', count: 12, providers })
    await pair.cutReplication()
    for (const provider of providers)
      host.arm({ provider, operation: 'submit', kind: 'late', ms: 5000, times: 6 })
    worker.thaw()
    await waitForPurchases(host, jobs)
    const running = async () => {
      const states = await Promise.all(jobs.map((job) => stateOf(pair.primary.redis, job)))
      return states.filter((state) => /^(queued|processing|generating)$/.test(state)).length >= 18
    }
    assert.ok(await waitUntil(running, { everyMs: 20 }), 'no reply has arrived')
    await pair.failOver()

    const counts = await countJobs({ host, redis: pair.replica.redis, client, jobs })
    report({ suite: 'failover to a replica without the intents, worker alive', faults: 1, ...counts })
    assertKept(counts)
  })

  it('the worker dies too: REDIS_WAIT_REPLICAS=1 purchases nothing that the replica does not know', async () => {
    const { host } = upstreams
    const { pair, client, worker, startWorker } = await startGateway({ REDIS_WAIT_REPLICAS: '1' })
    const known = await submitJobs(client, { name: 'known', count: 6, providers })
    const running = async () => {
      const states = await Promise.all(known.map((job) => stateOf(pair.replica.redis, job)))
      return states.every((state) => /^(queued|processing|generating|succeeded)$/.test(state))
    }
    assert.ok(await waitUntil(running, { everyMs: 20 }), 'the first jobs do not run')

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

    const jobs = [...known, ...unknown]
    const counts = await countJobs({ host, redis: pair.replica.redis, client, jobs })
    report({ suite: 'failover, worker dead, REDIS_WAIT_REPLICAS=1', faults: 2, ...counts })
    assertKept(counts)
    assert.ok(!early, 'a job was purchased without the acknowledgement of the replica')
  })
})
