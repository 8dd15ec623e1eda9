import assert from 'node:assert/strict'
import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createCleanup, temporaryFolder } from '../support/setup.ts'
import { startServer } from './cluster.ts'
import { type MockUpstreams, startGateway, startMockUpstreams, waitForReplies } from './gateway.ts'
import {
  assertKept,
  countJobs,
  deliverCallbacks,
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
  const aofFiles = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof'))
  assert.equal(aofFiles.length, 1, `parts of the append-only file: ${aofFiles}`)
  return join(folder, aofFiles[0] ?? '')
}

describe('a power loss drops the end of the append-only file', () => {
  const cleanup = createCleanup()
  let upstreams: MockUpstreams

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 4000)
  })
  after(() => cleanup.run())

  /** Jobs that were purchased after the last write that reached the disk; half of the replies are still in flight. */
  async function purchaseUnsynced(name: string) {
    const { host, env } = upstreams
    const server = await startServer(cleanup, ['--appendfsync', 'everysec'])
    const nodes = createCleanup()
    cleanup.add(() => nodes.run())
    const settings = { ...env, REDIS_URL: server.path, DATA_DIR: await temporaryFolder(cleanup) }
    const gateway = await startGateway(nodes, { redis: server.redis, env: settings })
    const { client, start, startWorker } = gateway
    const { PORT, PUBLIC_URL } = { PORT: new URL(gateway.address).port, PUBLIC_URL: gateway.address }
    const worker = await startWorker({ PUBLIC_URL })

    worker.freeze()
    const jobs = await submitJobs(client, { name, count: 12, providers })
    // While a slow disk syncs, Redis replies before it writes: the file may end before the last of the jobs.
    const isWritten = async () => /aof_buffer_length:0\b/.test(await server.redis.info('persistence'))
    assert.ok(await waitUntil(isWritten, { everyMs: 5 }), 'the jobs are not in the append-only file')
    const file = await openPart(server.dir)
    const { size } = await stat(file)
    for (const provider of providers)
      host.injectFault({ provider, operation: 'submit', kind: 'late', ms: 5000, times: 6 })
    worker.thaw()
    await waitForPurchases(host, jobs)
    await waitForReplies(server.redis, jobs, 18)

    return {
      host,
      client,
      jobs,
      redis: server.redis,
      async losePower({ everything }: { everything: boolean }): Promise<void> {
        await server.kill()
        if (everything) await nodes.run()
        await truncate(file, size)
        await server.start()
        if (everything) await Promise.all([start({ ROLE: 'api', PORT }), startWorker({ PUBLIC_URL })])
      },
    }
  }

  it('of the Redis machine only: the worker still knows what it has purchased', async () => {
    const { losePower, ...counted } = await purchaseUnsynced('redis-power')
    await losePower({ everything: false })
    const counts = await countJobs(counted)
    report({ suite: 'power loss of Redis, last second lost', faults: 1, ...counts })
    assertKept(counts)
  })

  it('of all machines: the journal in DATA_DIR has the purchases', async () => {
    const { losePower, ...counted } = await purchaseUnsynced('power')
    await losePower({ everything: true })
    await deliverCallbacks(counted.host, counted.jobs)
    const counts = await countJobs(counted)
    report({ suite: 'power loss of Redis and gateway, last second lost', faults: 2, ...counts })
    assertKept(counts)
  })
})
