import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Redis, ReplyError } from 'ioredis'
import { isRedisFault, persistReply } from '../../../src/jobs/steps/persist-reply.ts'
import { quiet } from '../../support/setup.ts'

const parts = { logger: quiet, sleep: async () => undefined }

describe('writing a reply that was paid for', () => {
  for (const message of [
    "OOM command not allowed when used memory > 'maxmemory'. script: 0a1b, on @user_script:12.",
    "READONLY You can't write against a read only replica.",
    'NOREPLICAS Not enough good replicas to write.',
    'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
    'LOADING Redis is loading the dataset in memory',
    "ERR The user executing the script can't access at least one of the keys mentioned in the command",
    'IOERR error or timeout reading from target instance',
    'ERR Error running script (call to f_0a): @user_script:5: @user_script: 5: -OOM command not allowed',
  ]) {
    it(`goes on while Redis says ${message.slice(0, 40)}…`, async () => {
      let refusals = 200
      const write = async () => {
        refusals -= 1
        if (refusals > 0) throw new ReplyError(message)
        return 'written'
      }
      assert.equal(await persistReply(parts, write), 'written')
      assert.equal(refusals, 0)
    })
  }

  it('goes on while Redis cannot be reached', async () => {
    const away = new Redis('/nowhere/redis.sock', { retryStrategy: () => null, lazyConnect: true })
    away.on('error', () => undefined)
    const cause = await away.set('a', '1').catch((error: unknown) => error)
    assert.ok(isRedisFault(cause), String(cause))
    assert.ok(isRedisFault(new Error('Connection is closed.')))
    assert.ok(isRedisFault(new Error('Command timed out')))
  })

  for (const cause of [
    new TypeError('x is not a function'),
    new ReplyError('ERR user_script:3: attempt to index a nil value script: 0a, on @user_script:3.'),
    new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value'),
    'not even an error',
  ]) {
    it(`does not repeat a bug for ever: ${String(cause).slice(0, 50)}`, async () => {
      let calls = 0
      const write = () => {
        calls += 1
        return Promise.reject(cause)
      }
      await assert.rejects(persistReply(parts, write), (error) => error === cause)
      assert.equal(calls, 1)
    })
  }

  it('pauses longer after each refusal, half a second at the most', async () => {
    const pauses: number[] = []
    let refusals = 6
    const sleep = async (ms: number) => void pauses.push(ms)
    await persistReply({ ...parts, sleep }, async () => {
      if (refusals-- > 0) throw new ReplyError('OOM command not allowed')
    })
    assert.deepEqual(pauses, [100, 200, 400, 500, 500, 500])
  })

  it('logs the first refusal and then each sixtieth', async () => {
    const logged: unknown[] = []
    const logger = { error: ({ tries }: { tries: number }) => void logged.push(tries) } as never
    let refusals = 125
    await persistReply({ ...parts, logger }, async () => {
      if (refusals-- > 0) throw new ReplyError('OOM command not allowed')
    })
    assert.deepEqual(logged, [1, 61, 121])
  })

  describe('takes for a fault of Redis', () => {
    const named = (name: string, message = '') => Object.assign(new Error(message), { name })
    for (const [cause, isFault] of [
      [named('MaxRetriesPerRequestError'), true],
      [named('AbortError'), true],
      [named('OtherError'), false],
      [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' }), true],
      [Object.assign(new Error('invalid'), { code: 'ERR_INVALID_ARG_TYPE' }), false],
      [Object.assign(new Error('invalid'), { syscall: 'connect' }), false],
      [new Error("Stream isn't writeable and enableOfflineQueue options is false"), true],
      [new Error('Reached the max retries per request limit'), true],
      [new Error('Socket closed unexpectedly'), true],
      [new Error('None of the sentinels are available'), true],
      [new Error('a bug: Connection is closed.'), false],
      [new Error('OOM'), false],
      [new ReplyError('NOAUTH Authentication required.'), true],
      [new ReplyError('ERR no ROOM here'), false],
      [{ name: 'ReplyError', message: 'OOM' }, false],
    ] as const) {
      it(`${isFault ? 'what is one' : 'nothing else'}: ${(cause as Error).name} ${cause.message.slice(0, 40)}`, () => {
        assert.equal(isRedisFault(cause), isFault)
      })
    }
  })
})
