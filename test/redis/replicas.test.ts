import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { Redis } from 'ioredis'
import { createReplicaBarrier, NotReplicated } from '../../src/redis/replicas.ts'
import { freePort } from '../faults/cluster.ts'
import { createCleanup, temporaryFolder } from '../setup.ts'

describe('writes that replicas confirm', () => {
  const cleanup = createCleanup()
  let primary: Redis
  let replica: Redis

  async function start(more: readonly string[] = []): Promise<Redis> {
    const port = await freePort()
    const dir = await temporaryFolder(cleanup)
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', ...more]
    const child: ChildProcess = spawn('redis-server', settings, { stdio: 'ignore' })
    const gone = once(child, 'exit')
    cleanup.add(() => {
      child.kill()
      return gone
    })
    const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
    redis.on('error', () => undefined)
    cleanup.add(() => redis.disconnect())
    await redis.ping()
    return redis
  }

  const connect = async () => {
    await replica.replicaof('127.0.0.1', String(primary.options.port))
    while (!(await replica.info('replication')).includes('master_link_status:up'))
      await new Promise((resolve) => setTimeout(resolve, 20))
  }

  before(async () => {
    primary = await start(['--repl-diskless-sync-delay', '0'])
    replica = await start()
    await connect()
  })
  after(() => cleanup.run())

  const barrier = (options: { replicas: number; timeoutMs?: number }) =>
    createReplicaBarrier({ redis: primary, timeoutMs: 5000, ...options })

  it('are there when the barrier resolves', async () => {
    await primary.set('a', '1')
    await barrier({ replicas: 1 })()
    assert.equal(await replica.get('a'), '1')
  })

  it('are not waited for where nobody asks for it', async () => {
    await barrier({ replicas: 0 })()
    assert.doesNotMatch(await primary.info('commandstats'), /cmdstat_wait:calls=([2-9]|\d\d)/)
  })

  it('share one WAIT when they come together, and none resolves before it', async () => {
    const calls = async () => Number(/cmdstat_wait:calls=(\d+)/.exec(await primary.info('commandstats'))?.[1])
    const before = await calls()
    const confirm = barrier({ replicas: 1 })
    const writes = Array.from({ length: 50 }, async (_, n) => {
      await primary.set(`together ${n}`, '1')
      await confirm()
      return replica.get(`together ${n}`)
    })
    assert.deepEqual([...new Set(await Promise.all(writes))], ['1'])
    assert.ok((await calls()) - before < 10)
  })

  it('are reported when too few replicas confirm in time', async () => {
    await assert.rejects(barrier({ replicas: 2, timeoutMs: 50 })(), /1 of 2 replicas/)
    await replica.replicaof('NO', 'ONE')
    await primary.set('b', '1')
    const confirm = barrier({ replicas: 1, timeoutMs: 50 })
    const results = await Promise.allSettled([confirm(), confirm(), confirm()])
    for (const result of results) {
      assert.equal(result.status, 'rejected')
      assert.ok(result.status === 'rejected' && result.reason instanceof NotReplicated)
    }
    await connect()
    await confirm()
  })
})
