import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ReplyError } from 'ioredis'
import { persistReply } from '../../../src/jobs/steps/persist-reply.ts'
import { quiet } from '../../support/setup.ts'

const deps = { logger: quiet, sleep: async () => undefined }

describe('writing a paid reply', () => {
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
    it(`retries while Redis returns ${message.slice(0, 40)}…`, async () => {
      let rejections = 200
      const write = async () => {
        rejections -= 1
        if (rejections > 0) throw new ReplyError(message)
        return 'written'
      }
      assert.equal(await persistReply(deps, write), 'written')
      assert.equal(rejections, 0)
    })
  }

  for (const cause of [
    new TypeError('x is not a function'),
    new ReplyError('ERR user_script:3: attempt to index a nil value script: 0a, on @user_script:3.'),
    new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value'),
    'not even an error',
  ]) {
    it(`does not retry forever after a bug: ${String(cause).slice(0, 50)}`, async () => {
      let calls = 0
      const write = () => {
        calls += 1
        return Promise.reject(cause)
      }
      await assert.rejects(persistReply(deps, write), (error) => error === cause)
      assert.equal(calls, 1)
    })
  }

  it('pauses longer after each rejection, up to half a second', async () => {
    const pauses: number[] = []
    let rejections = 6
    const sleep = async (ms: number) => void pauses.push(ms)
    await persistReply({ ...deps, sleep }, async () => {
      if (rejections-- > 0) throw new ReplyError('OOM command not allowed')
    })
    assert.deepEqual(pauses, [100, 200, 400, 500, 500, 500])
  })

  it('logs the first rejection and then every sixtieth', async () => {
    const logged: unknown[] = []
    const logger = { error: ({ tries }: { tries: number }) => void logged.push(tries) } as never
    let rejections = 125
    await persistReply({ ...deps, logger }, async () => {
      if (rejections-- > 0) throw new ReplyError('OOM command not allowed')
    })
    assert.deepEqual(logged, [1, 61, 121])
  })
})
