import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { anonymousCaller } from '../../../src/accounts/access.ts'
import { createQuota, type Quota, QuotaExceeded } from '../../../src/media/inputs/quota.ts'
import { createKeys, type Keys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'

const megabyte = 1024 * 1024
const hour = 3_600_000
const day = 24 * hour

describe('the storage quota of a key', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let keys: Keys
  let quota: Quota
  let tests = 0
  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  beforeEach(() => {
    tests += 1
    keys = createKeys(`quota${tests}:`)
    quota = createQuota({ redis, keys, quotaBytes: 10 * megabyte })
  })
  after(() => cleanup.run())

  const file = (name: string, megabytes: number, owner = 'alice') => ({
    owner,
    name,
    bytes: megabytes * megabyte,
  })
  const used = async (owner = 'alice') => Number((await redis.get(keys.storedBytes(owner))) ?? 0) / megabyte
  const files = (owner = 'alice') => redis.zrange(keys.storedFiles(owner), '0', '-1')

  it('a file counts with its bytes', async () => {
    assert.equal(await quota.reserve(file('a', 3), hour), true)
    assert.equal(await used(), 3)
    assert.deepEqual(await files(), [`${3 * megabyte} a`])
  })

  it('the same file counts once', async () => {
    await quota.reserve(file('a', 3), hour)
    assert.equal(await quota.reserve(file('a', 3), hour), false)
    assert.equal(await used(), 3)
  })

  it('the last byte of the quota can be used', async () => {
    assert.equal(await quota.reserve(file('a', 10), hour), true)
  })

  it('one byte more does not, and does not count', async () => {
    await quota.reserve(file('a', 4), hour)
    const more = { ...file('b', 6), bytes: 6 * megabyte + 1 }
    await assert.rejects(quota.reserve(more, hour), QuotaExceeded)
    assert.equal(await used(), 4)
    assert.deepEqual(await files(), [`${4 * megabyte} a`])
  })

  it('the error contains the quota, the used bytes and the size of the file', async () => {
    await quota.reserve(file('a', 4), hour)
    await assert.rejects(quota.reserve(file('b', 7), hour), {
      name: 'QuotaExceeded',
      message: /is 10 MB; 4 MB are used, and the file has 7 MB/,
    })
  })

  it('a counted file is accepted even if the quota is full', async () => {
    await quota.reserve(file('a', 6), hour)
    await quota.reserve(file('b', 4), hour)
    assert.equal(await quota.reserve(file('a', 6), hour), false)
  })

  it('each key has its own quota', async () => {
    await quota.reserve(file('a', 10), hour)
    assert.equal(await quota.reserve(file('a', 10, 'bobby'), hour), true)
  })

  it('anonymous callers have none', async () => {
    assert.equal(await quota.reserve(file('a', 99, anonymousCaller.owner), hour), false)
    assert.deepEqual(await files(anonymousCaller.owner), [])
  })

  it('a file does not count after it expires', async () => {
    await quota.reserve(file('a', 6), -1)
    await quota.reserve(file('b', 3), -1)
    assert.equal(await quota.reserve(file('c', 10), hour), true)
    assert.equal(await used(), 10)
    assert.deepEqual(await files(), [`${10 * megabyte} c`])
  })

  it('a file counts until it expires', async () => {
    const before = Date.now()
    await quota.reserve(file('a', 6), hour)
    const expires = Number(await redis.zscore(keys.storedFiles('alice'), `${6 * megabyte} a`))
    assert.ok(expires >= before + hour && expires <= Date.now() + hour)
  })

  it('a file that is used again counts for longer', async () => {
    await quota.reserve(file('a', 6), hour)
    await quota.reserve(file('a', 6), 2 * hour)
    const expires = Number(await redis.zscore(keys.storedFiles('alice'), `${6 * megabyte} a`))
    assert.ok(expires > Date.now() + 1.5 * hour)
  })

  it('thousands of expired files are removed in steps of a thousand', async () => {
    const members = Array.from({ length: 1001 }, (_, index) => [index + 1, `1 ${index}`]).flat()
    await redis.zadd(keys.storedFiles('alice'), ...(members as [number, string]))
    await redis.set(keys.storedBytes('alice'), 1001)
    await quota.reserve({ owner: 'alice', name: 'a', bytes: 5 }, hour)
    assert.deepEqual(await files(), ['1 1000', '5 a'])
    assert.equal(await redis.get(keys.storedBytes('alice')), '6')
  })

  it('a released file does not count', async () => {
    await quota.reserve(file('a', 6), hour)
    await quota.reserve(file('b', 1), hour)
    await quota.release(file('a', 6))
    assert.equal(await used(), 1)
    assert.deepEqual(await files(), [`${megabyte} b`])
  })

  it('a file that is released twice is subtracted once', async () => {
    await quota.reserve(file('a', 6), hour)
    await quota.reserve(file('b', 1), hour)
    await quota.release(file('a', 6))
    await quota.release(file('a', 6))
    assert.equal(await used(), 1)
  })

  it('both Redis keys expire later than any file', async () => {
    await quota.reserve(file('a', 6), hour)
    for (const key of [keys.storedFiles('alice'), keys.storedBytes('alice')]) {
      const ms = await redis.pttl(key)
      assert.ok(ms > 399 * day && ms <= 400 * day, `${key}: ${ms}`)
    }
  })

  it('the expiry is renewed with each file', async () => {
    await quota.reserve(file('a', 6), hour)
    for (const key of [keys.storedFiles('alice'), keys.storedBytes('alice')]) await redis.pexpire(key, hour)
    await quota.reserve(file('a', 6), hour)
    for (const key of [keys.storedFiles('alice'), keys.storedBytes('alice')])
      assert.ok((await redis.pttl(key)) > 399 * day, key)
  })
})
