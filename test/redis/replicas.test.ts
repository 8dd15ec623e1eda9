import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { Redis } from 'ioredis'
import { createReplicaBarrier, NotReplicated } from '../../src/redis/replicas.ts'
import { freePort } from '../faults/cluster.ts'
import { startProxy } from '../faults/redis-proxy.ts'
import { createCleanup, temporaryFolder } from '../support/setup.ts'

function isNotReplicated(cause: unknown): false {
  assert.ok(cause instanceof NotReplicated)
  return false
}

describe('writes that replicas confirm', () => {
  const cleanup = createCleanup()
  let primary: Redis
  let replica: Redis

  async function start(more: readonly string[] = []): Promise<Redis> {
    const port = await freePort()
    const dir = await temporaryFolder(cleanup)
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', ...more]
    const child: ChildProcess = spawn('redis-server', settings, { stdio: 'ignore' })
    const exited = once(child, 'exit')
    cleanup.add(() => {
      child.kill()
      return exited
    })
    const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
    redis.on('error', () => undefined)
    cleanup.add(() => redis.disconnect())
    await redis.ping()
    return redis
  }

  const connect = async (to = replica, from = primary) => {
    await to.replicaof('127.0.0.1', String(from.options.port))
    while (!(await to.info('replication')).includes('master_link_status:up'))
      await new Promise((resolve) => setTimeout(resolve, 20))
  }

  before(async () => {
    primary = await start(['--repl-diskless-sync-delay', '0'])
    replica = await start()
    await connect()
  })
  after(() => cleanup.run())

  const barrier = (options: { replicas: number; timeoutMs?: number }) =>
    createReplicaBarrier({ redis: primary, key: 'barrier', timeoutMs: 5000, ...options })

  it('are on the replicas when the barrier resolves', async () => {
    await primary.set('a', '1')
    await barrier({ replicas: 1 })()
    assert.equal(await replica.get('a'), '1')
  })

  it('are not awaited by default', async () => {
    await barrier({ replicas: 0 })()
    assert.doesNotMatch(await primary.info('commandstats'), /cmdstat_wait:calls=([2-9]|\d\d)/)
  })

  it('share one WAIT when they arrive together, and none resolves before it', async () => {
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

  /** Redis 7.2, which has WAITAOF, is not available; its replies are documented. */
  for (const [reply, outcome] of [
    [[1, 1], undefined],
    [[0, 1], /append-only file/],
    [[1, 0], /0 of 1 replicas/],
  ] as const) {
    it(`on disk: WAITAOF replies ${JSON.stringify(reply)}`, async () => {
      const calls: unknown[][] = []
      const call = async (...args: unknown[]) => {
        calls.push(args)
        return reply
      }
      const confirm = createReplicaBarrier({
        redis: { call, on: () => undefined, set: async () => 'OK' } as unknown as Redis,
        key: 'barrier',
        replicas: 1,
        timeoutMs: 70,
        aof: true,
      })
      if (outcome === undefined) await confirm()
      else await assert.rejects(confirm(), outcome)
      assert.deepEqual(calls, [['WAITAOF', 1, 1, 70]])
    })
  }

  it('on disk: are awaited without a replica, too', async () => {
    const calls: unknown[][] = []
    const call = async (...args: unknown[]) => {
      calls.push(args)
      return [1, 0]
    }
    await createReplicaBarrier({
      redis: { call, on: () => undefined, set: async () => 'OK' } as unknown as Redis,
      key: 'barrier',
      replicas: 0,
      timeoutMs: 70,
      aof: true,
    })()
    assert.deepEqual(calls, [['WAITAOF', 1, 0, 70]])
  })

  it('are awaited one after the other: later writes share the next WAIT', async () => {
    const replies: ((confirmed: number) => void)[] = []
    const wait = () => new Promise<number>((resolve) => replies.push(resolve))
    const redis = { wait, on: () => undefined, set: async () => 'OK' } as unknown as Redis
    const confirm = createReplicaBarrier({ redis, key: 'barrier', replicas: 1, timeoutMs: 70 })
    const reply = async (confirmed: number) => {
      replies.shift()?.(confirmed)
      await new Promise(setImmediate)
    }
    const first = confirm()
    const outcomes: string[] = []
    const others = [confirm(), confirm()].map((other) =>
      other.then(
        () => outcomes.push('confirmed'),
        () => outcomes.push('rejected'),
      ),
    )
    const failed = assert.rejects(first, NotReplicated)
    assert.equal(replies.length, 1)
    await reply(0)
    await failed
    assert.deepEqual(outcomes, [])
    assert.equal(replies.length, 1)
    const third = confirm()
    assert.equal(replies.length, 1)
    await reply(1)
    await Promise.all(others)
    assert.deepEqual(outcomes, ['confirmed', 'confirmed'])
    assert.equal(replies.length, 1)
    await reply(1)
    await third
    const last = confirm()
    assert.equal(replies.length, 1)
    await reply(1)
    await last
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
    // A busy machine may take several tries.
    for (let tries = 0; tries < 100; tries += 1) {
      if (await confirm().then(() => true, isNotReplicated)) return
    }
    assert.fail('never confirmed')
  })

  it('are not confirmed by the replicas of another server that has taken over meanwhile', async () => {
    const link = await startProxy(cleanup, { port: primary.options.port ?? 0 })
    const client = new Redis(link.port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
    client.on('error', () => undefined)
    cleanup.add(() => client.disconnect())
    await client.set('c', '1')
    const confirmed = createReplicaBarrier({
      redis: client,
      key: 'barrier',
      replicas: 2,
      timeoutMs: 60_000,
    })()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const other = await start(['--repl-diskless-sync-delay', '0'])
    const replicas = [await start(), await start()]
    for (const replica of replicas) await connect(replica, other)
    link.leadTo({ port: other.options.port ?? 0 })
    await assert.rejects(confirmed, NotReplicated)
  })
})
