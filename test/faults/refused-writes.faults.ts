import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { createCleanup } from '../support/setup.ts'
import { freePort, type Node } from './cluster.ts'
import { type MockUpstreams, startMockUpstreams, startWholeGateway } from './gateway.ts'
import {
  assertKept,
  countJobs,
  type SentJob,
  submitJobs,
  type Upstream,
  waitForPurchases,
  waitUntil,
} from './jobs.ts'
import { report } from './print-counts.ts'

const providers: readonly Upstream[] = ['fal', 'wavespeed', 'runware']

/** The replies come this long after the upstream has the job. */
const replyMs = 2000
const refusedMs = 4500

type Rejection = {
  error: string
  begin(redis: Redis, dir: string): Promise<unknown>
  end(redis: Redis, dir: string): Promise<unknown>
}

/** Each way in which Redis replies and rejects every write. */
const rejections: readonly Rejection[] = [
  {
    error: 'OOM',
    begin: (redis) => redis.config('SET', 'maxmemory', '1'),
    end: (redis) => redis.config('SET', 'maxmemory', '0'),
  },
  {
    error: 'READONLY',
    begin: async (redis) => redis.replicaof('127.0.0.1', await freePort()),
    end: (redis) => redis.replicaof('NO', 'ONE'),
  },
  {
    error: 'NOREPLICAS',
    begin: (redis) => redis.config('SET', 'min-replicas-to-write', '1'),
    end: (redis) => redis.config('SET', 'min-replicas-to-write', '0'),
  },
  {
    error: 'MISCONF',
    // A snapshot cannot replace a directory, and Redis rejects writes after a failed snapshot.
    async begin(redis, dir) {
      await mkdir(join(dir, 'dump.rdb'))
      await redis.config('SET', 'save', '3600 1')
      await redis.bgsave()
      const failed = async () => (await redis.info('persistence')).includes('rdb_last_bgsave_status:err')
      assert.ok(await waitUntil(failed, { everyMs: 10 }), 'the snapshot did not fail')
    },
    async end(redis, dir) {
      await redis.config('SET', 'save', '')
      await rmdir(join(dir, 'dump.rdb'))
    },
  },
]

describe('Redis rejects every write while the upstreams reply', { concurrency: true }, () => {
  const cleanup = createCleanup()
  let upstreams: MockUpstreams

  before(async () => {
    upstreams = await startMockUpstreams(cleanup, 1500)
  })
  after(() => cleanup.run())

  for (const rejection of rejections) {
    describe(rejection.error, { concurrency: 1 }, () => {
      const own = createCleanup()
      let gateway: Awaited<ReturnType<typeof startWholeGateway>>
      let worker: Node

      before(async () => {
        gateway = await startWholeGateway(own, {
          ...upstreams.env,
          // A server that was a replica for a while counts as another one.
          REDIS_FAILOVER_GRACE_SECONDS: '3',
        })
        worker = gateway.worker
      })
      after(() => own.run())

      /** Jobs that their upstreams have, whose replies arrive while Redis rejects writes. */
      async function purchase(name: string): Promise<SentJob[]> {
        worker.freeze()
        for (const provider of providers)
          upstreams.host.injectFault({ provider, operation: 'submit', kind: 'late', ms: replyMs, times: 4 })
        const jobs = await submitJobs(gateway.client, {
          name: `${rejection.error}-${name}`,
          count: 4,
          providers,
        })
        worker.thaw()
        await waitForPurchases(upstreams.host, jobs)
        await rejection.begin(gateway.redis, gateway.server.dir)
        return jobs
      }

      async function check(suite: string, jobs: readonly SentJob[]): Promise<void> {
        const { redis, client } = gateway
        const counts = await countJobs({ host: upstreams.host, redis, client, jobs })
        report({ suite: `${rejection.error} while the upstream replies${suite}`, faults: 1, ...counts })
        assertKept(counts)
      }

      it('preserves the replies that arrive', async () => {
        const jobs = await purchase('alive')
        await sleep(refusedMs)
        await rejection.end(gateway.redis, gateway.server.dir)
        await check('', jobs)
      })

      it('preserves the replies that arrive while the worker shuts down', async () => {
        const jobs = await purchase('stop')
        await sleep(replyMs / 2)
        const stopped = worker.stop()
        await sleep(refusedMs - replyMs / 2)
        await rejection.end(gateway.redis, gateway.server.dir)
        await stopped
        worker = await gateway.startWorker()
        await check(', worker shutting down', jobs)
      })

      if (rejection.error !== 'READONLY') return
      it('preserves the replies of a worker that is killed before it could write them', async () => {
        const jobs = await purchase('killed')
        const tasks = await Promise.all(providers.map((provider) => upstreams.host.tasks(provider)))
        const ids = tasks
          .flat()
          .filter(({ body }) => jobs.some(({ mark }) => JSON.stringify(body).includes(mark)))
          .map(({ id }) => id)
        const isJournaled = async () => {
          const text = await readJournal(gateway.env.DATA_DIR)
          return ids.every((id) => text.includes(id))
        }
        await waitUntil(isJournaled, { times: 80, everyMs: 50 })
        await worker.kill()
        await rejection.end(gateway.redis, gateway.server.dir)
        worker = await gateway.startWorker()
        await check(', worker killed', jobs)
      })
    })
  }
})

async function readJournal(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'journal')
  const names = await readdir(folder).catch(() => [])
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')))
  return texts.join('\n')
}
