import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createInputUses, type InputUses } from '../../../src/media/inputs/input-uses.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'

describe('uses of a stored input', () => {
  const cleanup = createCleanup()
  const keys = createKeys('uses:')
  let redis: Redis
  let uses: InputUses
  let removed = 0
  const remove = async () => {
    removed += 1
  }
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    uses = createInputUses({ redis, keys, keepMs: 60_000 })
  })
  after(() => cleanup.run())

  it('the last use of a new file removes it, an earlier one does not', async () => {
    removed = 0
    await uses.add('shared')
    await uses.markNew('shared')
    await uses.add('shared')
    await uses.release('shared', remove)
    assert.equal(removed, 0)
    await uses.release('shared', remove)
    assert.equal(removed, 1)
  })

  it('a file that was there before its uses were counted is never removed', async () => {
    removed = 0
    await uses.add('old')
    await uses.release('old', remove)
    await uses.release('old', remove)
    assert.equal(removed, 0)
  })

  it('a request with the same content waits for the end of a removal', async () => {
    const events: string[] = []
    await uses.add('again')
    await uses.markNew('again')
    let added: Promise<unknown> = Promise.resolve()
    await uses.release('again', async () => {
      added = uses.add('again').then(() => events.push('added'))
      await new Promise((resolve) => setTimeout(resolve, 150))
      events.push('removed')
    })
    await added
    assert.deepEqual(events, ['removed', 'added'])
  })

  it('are stored as long as the file can exist', async () => {
    await uses.add('kept')
    const ms = await redis.pttl(keys.inputUses('kept'))
    assert.ok(ms > 50_000 && ms <= 60_000, `${ms}`)
  })

  it('are stored for longer with another use', async () => {
    await uses.add('longer')
    await redis.pexpire(keys.inputUses('longer'), 1000)
    await uses.add('longer')
    assert.ok((await redis.pttl(keys.inputUses('longer'))) > 50_000)
  })

  it('an uncounted use removes nothing, and leaves nothing', async () => {
    removed = 0
    await uses.release('unknown', remove)
    assert.equal(removed, 0)
    assert.equal(await redis.exists(keys.inputUses('unknown')), 0)
  })

  it('the last use of an old file is dropped', async () => {
    await uses.add('once')
    await uses.release('once', remove)
    assert.equal(await redis.exists(keys.inputUses('once')), 0)
  })

  it('a removed file has no uses', async () => {
    await uses.add('gone')
    await uses.markNew('gone')
    await uses.release('gone', remove)
    assert.equal(await redis.exists(keys.inputUses('gone')), 0)
  })

  it('a new file with two uses has one after the first is released', async () => {
    await uses.add('two')
    await uses.markNew('two')
    await uses.add('two')
    await uses.release('two', remove)
    assert.deepEqual(await redis.hgetall(keys.inputUses('two')), { uses: '1', new: '1' })
  })

  it('a removal that never ends expires after two minutes', async () => {
    await uses.add('stuck')
    await uses.markNew('stuck')
    await assert.rejects(
      uses.release('stuck', () => Promise.reject(new Error('stuck'))),
      { message: 'stuck' },
    )
    const ms = await redis.pttl(keys.inputUses('stuck'))
    assert.ok(ms > 60_000 && ms <= 120_000, `${ms}`)
    assert.equal(await redis.hget(keys.inputUses('stuck'), 'removing'), '1')
  })

  it('a request does not wait forever for the end of a removal', async () => {
    await redis.hset(keys.inputUses('slow'), 'removing', '1')
    const waiting = createInputUses({ redis, keys, keepMs: 60_000, sleep: async () => undefined })
    await assert.rejects(waiting.add('slow'), {
      name: 'StorageUnavailable',
      message: 'Cannot store inputs/slow: its removal takes too long',
    })
  })

  it('a request checks for the end every 100 ms, for ten seconds', async () => {
    await redis.hset(keys.inputUses('slow'), 'removing', '1')
    const slept: number[] = []
    const sleep = async (ms: number) => void slept.push(ms)
    const waiting = createInputUses({ redis, keys, keepMs: 60_000, sleep })
    await assert.rejects(waiting.add('slow'))
    assert.deepEqual(slept, Array(100).fill(100))
  })

  it('no use is counted while a file is being removed', async () => {
    await redis.hset(keys.inputUses('busy'), 'removing', '1')
    const waiting = createInputUses({ redis, keys, keepMs: 60_000, sleep: async () => undefined })
    await assert.rejects(waiting.add('busy'))
    assert.deepEqual(await redis.hgetall(keys.inputUses('busy')), { removing: '1' })
  })
})
