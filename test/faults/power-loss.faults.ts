import assert from 'node:assert/strict'
import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createCleanup, temporaryFolder } from '../support/setup.ts'
import { type Node, startNode, startServer } from './cluster.ts'
import {
  assertKept,
  countJobs,
  createAccount,
  deliverCallbacks,
  startMockUpstreams,
  stateOf,
  submitJobs,
  type Upstream,
  waitForPurchases,
  waitUntil,
} from './jobs.ts'
import { report } from './print-counts.ts'

const providers: readonly Upstream[] = ['fal', 'wavespeed', 'runware']

/** The part of the append-only file that is written to; older parts do not change. */
async function openPart(dir: string): Promise<string> {
  const folder = join(dir, 'appendonlydir')
  const parts = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof'))
  assert.equal(parts.length, 1, `parts of the append-only file: ${parts}`)
  return join(folder, parts[0] ?? '')
}

describe('a power loss drops the end of the append-only file', () => {
  const cleanup = createCleanup()
  let upstreams: Awaited<ReturnType<typeof startMockUpstreams>>

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 4000)
  })
  after(() => cleanup.run())

  /** Jobs that were purchased after the last write that reached the disk; half of the replies are still in flight. */
  async function purchaseUnsynced(name: string) {
    const { host, env } = upstreams
    const server = await startServer(cleanup, ['--appendfsync', 'everysec'])
    const settings = { ...env, REDIS_URL: server.path, DATA_DIR: await temporaryFolder(cleanup) }
    const nodes = new Set<Node>()
    const start = async (more: Record<string, string>) => {
      const node = await startNode({ ...settings, ...more })
      nodes.add(node)
      cleanup.add(() => node.kill())
      return node
    }
    const api = await start({ ROLE: 'api' })
    const { PORT, PUBLIC_URL } = { PORT: new URL(api.address).port, PUBLIC_URL: api.address }
    const worker = await start({ ROLE: 'worker', PUBLIC_URL })
    const { client } = await createAccount(server.redis, api.address)

    worker.freeze()
    const jobs = await submitJobs(client, { name, count: 12, providers })
    const file = await openPart(server.dir)
    const { size } = await stat(file)
    for (const provider of providers)
      host.injectFault({ provider, operation: 'submit', kind: 'late', ms: 5000, times: 6 })
    worker.thaw()
    await waitForPurchases(host, jobs)
    const running = async () => {
      const states = await Promise.all(jobs.map((job) => stateOf(server.redis, job)))
      return states.filter((state) => /^(queued|processing|generating)$/.test(state)).length >= 18
    }
    assert.ok(await waitUntil(running, { everyMs: 20 }), 'no reply has arrived')

    return {
      host,
      client,
      jobs,
      redis: server.redis,
      async losePower({ gateway }: { gateway: boolean }): Promise<void> {
        await server.kill()
        if (gateway) await Promise.all([...nodes].map((node) => node.kill()))
        await truncate(file, size)
        await server.start()
        if (!gateway) return
        await Promise.all([start({ ROLE: 'api', PORT }), start({ ROLE: 'worker', PUBLIC_URL })])
      },
    }
  }

  it('of the machine with Redis alone: the worker still knows what it has purchased', async () => {
    const { losePower, ...counted } = await purchaseUnsynced('redis-power')
    await losePower({ gateway: false })
    const counts = await countJobs(counted)
    report({ suite: 'power loss of Redis, last second lost', faults: 1, ...counts })
    assertKept(counts)
  })

  it('of everything: the journal under DATA_DIR tells what was purchased', async () => {
    const { losePower, ...counted } = await purchaseUnsynced('power')
    await losePower({ gateway: true })
    await deliverCallbacks(counted.host, counted.jobs)
    const counts = await countJobs(counted)
    report({ suite: 'power loss of Redis and gateway, last second lost', faults: 2, ...counts })
    assertKept(counts)
  })
})
