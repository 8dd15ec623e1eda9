import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { anonymousAccess, anonymousCaller } from '../../src/accounts/access.ts'
import { createAuthenticator, hasKeys } from '../../src/accounts/authenticator.ts'
import { createLedger } from '../../src/accounts/ledger.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const keys = createKeys('door:')

describe('who may come in', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let subscriber: Redis
  let book: ReturnType<typeof createLedger>
  let reads = 0

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    book = createLedger({ redis, keys })
    subscriber = redis.duplicate({ enableOfflineQueue: true })
    cleanup.add(() => subscriber.disconnect())
  })
  beforeEach(async () => {
    await redis.flushall()
    reads = 0
  })
  after(() => cleanup.run())

  /** The same Redis, counting what is read. */
  const counted = () =>
    new Proxy(redis, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          reads += 1
          return value.apply(target, args)
        }
      },
    })
  /** A new key, whose creation every process has been told of. */
  const makeKey = async () => {
    const made = await book.createAccount({ name: 'ann' })
    await subscriber.ping()
    return made
  }
  /** As a file would, for as long as the process lives. */
  const createMarker = (wasSet = false) => {
    let isSet = wasSet
    return {
      isSet: () => isSet,
      set: async () => {
        isSet = true
      },
    }
  }
  const create = (openWithoutKeys = false, marker = createMarker()) =>
    createAuthenticator({
      redis: counted(),
      subscriber,
      keys,
      keyMarker: marker,
      allowAnonymous: openWithoutKeys,
    })

  it('is whoever has a key', async () => {
    const door = await create()
    const { key, account } = await book.createAccount({ name: 'ann' })
    const limited = await book.createAccount({ name: 'bob', rpm: 7 })
    assert.deepEqual(await door.identify(key), { owner: account.id })
    assert.deepEqual(await door.identify(limited.key), { owner: limited.account.id, rpm: 7 })
    for (const wrong of [`${key}x`, key.slice(1), '', undefined])
      assert.equal(await door.identify(wrong), undefined)
  })

  it('is remembered, and answered at once', async () => {
    const door = await create()
    const { key, account } = await makeKey()
    await door.identify(key)
    reads = 0
    assert.deepEqual(door.identify(key), { owner: account.id })
    assert.equal(reads, 0)
  })

  it('is remembered for 30 s, as is who has no right key', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    const door = await create()
    const { key } = await makeKey()
    await door.identify(key)
    await door.identify('wrong')
    t.mock.timers.tick(30_000)
    reads = 0
    await door.identify(key)
    await door.identify('wrong')
    assert.equal(reads, 0)
    t.mock.timers.tick(1)
    await door.identify(key)
    await door.identify('wrong')
    assert.equal(reads, 3)
  })

  it('is forgotten as soon as an account changes', async () => {
    const door = await create()
    const { key, account } = await makeKey()
    await door.identify(key)
    await book.revokeAccount(account.id)
    while ((await door.identify(key)) !== undefined) await new Promise(setImmediate)
    const other = await book.createAccount({ name: 'bob' })
    await door.identify(other.key)
    await book.setLimits(other.account.id, { rpm: 3 })
    while ((await door.identify(other.key))?.rpm !== 3) await new Promise(setImmediate)
  })

  it('is not forgotten for other messages', async () => {
    const door = await create()
    const { key } = await makeKey()
    await subscriber.subscribe('elsewhere')
    await door.identify(key)
    subscriber.emit('message', 'elsewhere', 'x')
    assert.equal(door.identify(key) instanceof Promise, false)
    subscriber.emit('message', keys.accountChanges, 'x')
    assert.equal(door.identify(key) instanceof Promise, true)
  })

  it('is looked up again after the connection for changes was away', async () => {
    const door = await create()
    const { key } = await makeKey()
    await door.identify(key)
    subscriber.emit('ready')
    assert.equal(door.identify(key) instanceof Promise, true)
  })

  it('is not remembered from before a change that came meanwhile', async () => {
    const { key, account } = await makeKey()
    const door = await create()
    const asked = door.identify(key)
    subscriber.emit('message', keys.accountChanges, account.id)
    assert.deepEqual(await asked, { owner: account.id })
    assert.equal(door.identify(key) instanceof Promise, true)
  })

  it('is remembered of the 10,000 keys that were used last, right or wrong', async () => {
    const door = await create()
    const { key } = await makeKey()
    await door.identify(key)
    await door.identify('guess')
    const guess = async (from: number, count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => door.identify(`guess ${from + at}`)))
    for (let from = 0; from < 9500; from += 500) await guess(from, 500)
    await guess(9500, 498)
    reads = 0
    await door.identify(key)
    assert.equal(reads, 0)
    await guess(9998, 1)
    reads = 0
    await door.identify(key)
    assert.equal(reads, 0, 'a key in use stays')
    await door.identify('guess')
    assert.ok(reads > 0, 'the guess that was made first is forgotten')
  })

  describe('as long as no key was ever made', () => {
    it('is everybody, where that is allowed, with any key or none', async () => {
      const door = await create(true)
      for (const key of [undefined, 'any']) assert.deepEqual(await door.identify(key), anonymousCaller)
      reads = 0
      assert.deepEqual(door.identify(undefined), anonymousCaller)
      assert.equal(reads, 0)
    })

    it('is nobody, where that is not allowed', async () => {
      const door = await create(false)
      for (const key of [undefined, 'any']) assert.equal(await door.identify(key), undefined)
    })

    it('and is nobody any more as soon as there is one, though it be revoked', async () => {
      const door = await create(true)
      assert.deepEqual(await door.identify(undefined), anonymousCaller)
      assert.equal(await hasKeys(redis, keys, createMarker()), false)
      const { account } = await makeKey()
      await book.revokeAccount(account.id)
      while ((await door.identify(undefined)) !== undefined) await new Promise(setImmediate)
      assert.equal(await door.identify('any'), undefined)
      assert.equal(await hasKeys(redis, keys, createMarker()), true)
    })

    it('is asked again after 30 s', async (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      const door = await create(true)
      await door.identify(undefined)
      await redis.hset(keys.keyHashes, 'x', 'y')
      t.mock.timers.tick(29_999)
      assert.deepEqual(await door.identify(undefined), anonymousCaller)
      t.mock.timers.tick(1)
      assert.equal(await door.identify(undefined), undefined)
    })

    it('is not remembered from before a key that came meanwhile', async () => {
      const door = await create(true)
      const asked = door.identify(undefined)
      subscriber.emit('message', keys.accountChanges, 'x')
      await asked
      await redis.hset(keys.keyHashes, 'x', 'y')
      assert.equal(await door.identify(undefined), undefined)
    })
  })

  it('cannot be told without Redis: that is nobody’s fault', async () => {
    const unavailable = new RedisUnavailable(new Error('Connection is closed.'))
    const away = new Proxy(redis, { get: () => () => Promise.reject(unavailable) })
    const door = await createAuthenticator({
      redis: away,
      subscriber,
      keys,
      keyMarker: createMarker(),
      allowAnonymous: true,
    })
    await assert.rejects(async () => door.identify('key'), RedisUnavailable)
    await assert.rejects(async () => door.identify(undefined), RedisUnavailable)
    await assert.rejects(async () => door.readAccessMode(), RedisUnavailable)
    const marker = createMarker(true)
    const marked = await createAuthenticator({
      redis: away,
      subscriber,
      keys,
      keyMarker: marker,
      allowAnonymous: true,
    })
    assert.equal(await marked.readAccessMode(), 'keys')
    assert.equal(await marked.identify(undefined), undefined)
  })

  describe('after Redis has lost the keys', () => {
    it('is nobody without a key, and the reason can be told', async () => {
      const door = await create(true)
      assert.equal(await door.readAccessMode(), 'anonymous')
      const { key, account } = await makeKey()
      while ((await door.readAccessMode()) !== 'keys') await new Promise(setImmediate)
      await redis.flushall()
      subscriber.emit('ready')
      for (const one of [undefined, key, 'any']) assert.equal(await door.identify(one), undefined)
      assert.equal(await door.readAccessMode(), 'lost')
      const again = await makeKey()
      while ((await door.identify(again.key)) === undefined) await new Promise(setImmediate)
      assert.notEqual(again.account.id, account.id)
      assert.equal(await door.readAccessMode(), 'keys')
    })

    it('is nobody for a process that starts later, where the marker is set', async () => {
      const door = await create(true, createMarker(true))
      assert.equal(await door.identify(undefined), undefined)
      assert.equal(await door.readAccessMode(), 'lost')
    })

    it('is nobody though no request came between the first key and the loss', async () => {
      const marker = createMarker()
      const door = await create(true, marker)
      assert.deepEqual(await door.identify(undefined), anonymousCaller)
      await makeKey()
      while (!marker.isSet()) await new Promise(setImmediate)
      await redis.flushall()
      assert.equal(await door.identify(undefined), undefined)
    })
  })

  it('says why a key is needed', async () => {
    assert.equal(await (await create(false)).readAccessMode(), 'locked')
    await makeKey()
    assert.equal(await (await create(false)).readAccessMode(), 'keys')
    assert.equal(await (await create(true)).readAccessMode(), 'keys')
    assert.equal(anonymousAccess.readAccessMode(), 'off')
  })

  it('is everybody where nobody is told apart', () => {
    for (const key of [undefined, 'any'])
      assert.deepEqual(anonymousAccess.identify(key), { owner: 'anonymous' })
  })
})
