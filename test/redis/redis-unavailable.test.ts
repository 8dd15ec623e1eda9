import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Redis, ReplyError } from 'ioredis'
import { createConnections } from '../../src/redis/connections.ts'
import { startEmbeddedRedis } from '../../src/redis/embedded.ts'
import { isRedisUnavailable, mayHaveRun, RedisUnavailable } from '../../src/redis/redis-unavailable.ts'
import { createCleanup, quiet, temporaryFolder } from '../support/setup.ts'

const timeout = 60_000
const named = (name: string, message = '') => Object.assign(new Error(message), { name })

const aborted = (previous: Error) =>
  Object.assign(new ReplyError('EXECABORT Transaction discarded because of previous errors.'), {
    previousErrors: [previous],
  })

describe('errors that mean that Redis is unavailable', () => {
  for (const [cause, isUnavailable] of [
    [named('MaxRetriesPerRequestError'), true],
    [named('AbortError'), true],
    [named('OtherError'), false],
    [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' }), true],
    [Object.assign(new Error('invalid'), { code: 'ERR_INVALID_ARG_TYPE' }), false],
    [Object.assign(new Error('invalid'), { syscall: 'connect' }), false],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), true],
    [new Error('Reached the max retries per request limit'), true],
    [new Error('Socket closed unexpectedly'), true],
    [new Error('Connection is closed.'), true],
    [new Error('Command timed out'), true],
    [new Error('None of the sentinels are available'), true],
    [new Error('a bug: Connection is closed.'), false],
    [new Error('OOM'), false],
    [new ReplyError('NOAUTH Authentication required.'), true],
    [aborted(new ReplyError('OOM command not allowed')), true],
    [aborted(new ReplyError('ERR unknown command')), false],
    [new ReplyError('TIMEOUT the order came too late'), true],
    [
      new ReplyError('ERR Error running script (call to f_0a): @user_script:5: -OOM command not allowed'),
      true,
    ],
    [new ReplyError('ERR Error running script (call to f_0a): @user_script:5: nil value'), false],
    [new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value'), false],
    [new ReplyError('ERR no ROOM here'), false],
    [{ name: 'ReplyError', message: 'OOM' }, false],
    [new RedisUnavailable(new Error('Connection is closed.')), true],
  ] as const) {
    it(`${isUnavailable ? 'include' : 'do not include'}: ${(cause as Error).name} ${cause.message.slice(0, 50)}`, () => {
      assert.equal(isRedisUnavailable(cause), isUnavailable)
    })
  }

  it('include those of a client without a server', async () => {
    const client = new Redis('/nowhere/redis.sock', { retryStrategy: () => null, lazyConnect: true })
    client.on('error', () => undefined)
    const cause = await client.set('a', '1').catch((error: unknown) => error)
    assert.ok(isRedisUnavailable(cause), String(cause))
  })
})

describe('a command that failed', () => {
  for (const [cause, may] of [
    [new Error('Command timed out'), true],
    [named('MaxRetriesPerRequestError'), true],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), false],
    [new ReplyError('OOM command not allowed'), false],
  ] as const) {
    it(`${may ? 'may' : 'cannot'} have been executed: ${cause.name} ${cause.message.slice(0, 30)}`, () => {
      assert.equal(mayHaveRun(cause), may)
      assert.equal(mayHaveRun(new RedisUnavailable(cause)), may)
    })
  }
})

describe('a connection for requests', { timeout }, () => {
  const cleanup = createCleanup()
  let server: Awaited<ReturnType<typeof startEmbeddedRedis>>
  let redis: Redis
  let worker: Redis

  before(async () => {
    const dataDir = await temporaryFolder(cleanup)
    server = await startEmbeddedRedis({ dataDir, logger: quiet, production: true })
    cleanup.add(() => server.stop())
    const connections = createConnections({ path: server.path }, { prefix: 'test:', logger: quiet })
    cleanup.add(() => connections.close())
    redis = await connections.forRequests()
    worker = await connections.forWorkers()
  })
  after(() => cleanup.run())

  /** The same write by every kind of call. */
  function everyCall(client: Redis): Promise<unknown>[] {
    client.defineCommand('setByScript', { lua: "return redis.call('SET', KEYS[1], '1')", numberOfKeys: 1 })
    const { setByScript } = client as unknown as { setByScript(key: string): Promise<unknown> }
    return [
      client.set('key', '1'),
      client.eval("return redis.call('SET', KEYS[1], '1')", 1, 'key'),
      setByScript.call(client, 'key'),
      client.multi().set('key', '1').exec(),
      client
        .pipeline()
        .set('key', '1')
        .exec()
        .then((results) => {
          const error = results?.[0]?.[0]
          if (error) throw error
        }),
    ]
  }

  async function causesOf(calls: Promise<unknown>[]): Promise<unknown[]> {
    const results = await Promise.allSettled(calls)
    return results.map((result) => (result.status === 'rejected' ? result.reason : undefined))
  }

  it('rejects with `RedisUnavailable` while Redis is out of memory', async () => {
    await redis.config('SET', 'maxmemory', '1')
    const causes = await causesOf(everyCall(redis))
    const workerCauses = await causesOf(everyCall(worker))
    await redis.config('SET', 'maxmemory', '0')
    for (const cause of causes) {
      assert.ok(cause instanceof RedisUnavailable, String(cause))
      assert.match(cause.message, /^Redis is unavailable: .*OOM/)
      assert.ok(cause.cause instanceof ReplyError)
    }
    for (const cause of workerCauses)
      assert.ok(cause instanceof ReplyError, 'BullMQ gets the error of ioredis')
  })

  it('rejects with the original error for an invalid command', async () => {
    await redis.set('text', 'x')
    redis.defineCommand('brokenScript', { lua: 'return nothing.at_all', numberOfKeys: 0 })
    const { brokenScript } = redis as unknown as { brokenScript(): Promise<unknown> }
    const transaction = redis.multi().set('text', 'y').call('nosuchcommand').exec()
    const causes = await causesOf([redis.hget('text', 'field'), brokenScript.call(redis), transaction])
    for (const cause of causes) assert.ok(cause instanceof ReplyError, String(cause))
  })

  it('sends a script again that Redis has lost', async () => {
    await Promise.all(everyCall(redis))
    await redis.script('FLUSH')
    await Promise.all(everyCall(redis))
  })

  it('rejects with `RedisUnavailable` while nothing listens', async () => {
    const lost = new Promise((resolve) => redis.once('close', resolve))
    await server.stop()
    await lost
    for (const cause of await causesOf(everyCall(redis))) assert.ok(cause instanceof RedisUnavailable)
  })
})
