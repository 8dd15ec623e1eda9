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

describe('authentication', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let subscriber: Redis
  let ledger: ReturnType<typeof createLedger>
  let reads = 0

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    ledger = createLedger({ redis, keys })
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
  /** A new key, whose creation is published to every process. */
  const makeKey = async () => {
    const made = await ledger.createAccount({ name: 'ann' })
    await subscriber.ping()
    return made
  }
  /** A marker in memory instead of a file. */
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

  it('accepts a request with an API key', async () => {
    const authenticator = await create()
    const { key, account } = await ledger.createAccount({ name: 'ann' })
    const limited = await ledger.createAccount({ name: 'bob', rpm: 7 })
    assert.deepEqual(await authenticator.identify(key), { owner: account.id })
    assert.deepEqual(await authenticator.identify(limited.key), { owner: limited.account.id, rpm: 7 })
    for (const wrong of [`${key}x`, key.slice(1), '', undefined])
      assert.equal(await authenticator.identify(wrong), undefined)
  })

  it('is cached and returned synchronously', async () => {
    const authenticator = await create()
    const { key, account } = await makeKey()
    await authenticator.identify(key)
    reads = 0
    assert.deepEqual(authenticator.identify(key), { owner: account.id })
    assert.equal(reads, 0)
  })

  it('is cached for 30 s, for valid and for invalid keys', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    const authenticator = await create()
    const { key } = await makeKey()
    await authenticator.identify(key)
    await authenticator.identify('wrong')
    t.mock.timers.tick(30_000)
    reads = 0
    await authenticator.identify(key)
    await authenticator.identify('wrong')
    assert.equal(reads, 0)
    t.mock.timers.tick(1)
    await authenticator.identify(key)
    await authenticator.identify('wrong')
    assert.equal(reads, 3)
  })

  it('is removed from the cache when an account changes', async () => {
    const authenticator = await create()
    const { key, account } = await makeKey()
    await authenticator.identify(key)
    await ledger.revokeAccount(account.id)
    while ((await authenticator.identify(key)) !== undefined) await new Promise(setImmediate)
    const other = await ledger.createAccount({ name: 'bob' })
    await authenticator.identify(other.key)
    await ledger.setLimits(other.account.id, { rpm: 3 })
    while ((await authenticator.identify(other.key))?.rpm !== 3) await new Promise(setImmediate)
  })

  it('stays in the cache after other messages', async () => {
    const authenticator = await create()
    const { key } = await makeKey()
    await subscriber.subscribe('elsewhere')
    await authenticator.identify(key)
    subscriber.emit('message', 'elsewhere', 'x')
    assert.equal(authenticator.identify(key) instanceof Promise, false)
    subscriber.emit('message', keys.accountChanges, 'x')
    assert.equal(authenticator.identify(key) instanceof Promise, true)
  })

  it('is looked up again after the subscription was interrupted', async () => {
    const authenticator = await create()
    const { key } = await makeKey()
    await authenticator.identify(key)
    subscriber.emit('ready')
    assert.equal(authenticator.identify(key) instanceof Promise, true)
  })

  it('is not cached if the account changes during the lookup', async () => {
    const { key, account } = await makeKey()
    const authenticator = await create()
    const identifying = authenticator.identify(key)
    subscriber.emit('message', keys.accountChanges, account.id)
    assert.deepEqual(await identifying, { owner: account.id })
    assert.equal(authenticator.identify(key) instanceof Promise, true)
  })

  it('is cached for the 10,000 most recently used keys, valid or not', async () => {
    const authenticator = await create()
    const { key } = await makeKey()
    await authenticator.identify(key)
    await authenticator.identify('guess')
    const guess = async (from: number, count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => authenticator.identify(`guess ${from + at}`)))
    for (let from = 0; from < 9500; from += 500) await guess(from, 500)
    await guess(9500, 498)
    reads = 0
    await authenticator.identify(key)
    assert.equal(reads, 0)
    await guess(9998, 1)
    reads = 0
    await authenticator.identify(key)
    assert.equal(reads, 0, 'a key in use stays')
    await authenticator.identify('guess')
    assert.ok(reads > 0, 'the guess that was made first is forgotten')
  })

  describe('before the first API key is created', () => {
    it('accepts every request if anonymous access is allowed', async () => {
      const authenticator = await create(true)
      for (const key of [undefined, 'any'])
        assert.deepEqual(await authenticator.identify(key), anonymousCaller)
      reads = 0
      assert.deepEqual(authenticator.identify(undefined), anonymousCaller)
      assert.equal(reads, 0)
    })

    it('rejects every request if anonymous access is not allowed', async () => {
      const authenticator = await create(false)
      for (const key of [undefined, 'any']) assert.equal(await authenticator.identify(key), undefined)
    })

    it('rejects anonymous requests once a key exists, even if that key is revoked', async () => {
      const authenticator = await create(true)
      assert.deepEqual(await authenticator.identify(undefined), anonymousCaller)
      assert.equal(await hasKeys(redis, keys, createMarker()), false)
      const { account } = await makeKey()
      await ledger.revokeAccount(account.id)
      while ((await authenticator.identify(undefined)) !== undefined) await new Promise(setImmediate)
      assert.equal(await authenticator.identify('any'), undefined)
      assert.equal(await hasKeys(redis, keys, createMarker()), true)
    })

    it('is checked again after 30 s', async (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      const authenticator = await create(true)
      await authenticator.identify(undefined)
      await redis.hset(keys.keyHashes, 'x', 'y')
      t.mock.timers.tick(29_999)
      assert.deepEqual(await authenticator.identify(undefined), anonymousCaller)
      t.mock.timers.tick(1)
      assert.equal(await authenticator.identify(undefined), undefined)
    })

    it('is not cached if a key is created during the check', async () => {
      const authenticator = await create(true)
      const identifying = authenticator.identify(undefined)
      subscriber.emit('message', keys.accountChanges, 'x')
      await identifying
      await redis.hset(keys.keyHashes, 'x', 'y')
      assert.equal(await authenticator.identify(undefined), undefined)
    })
  })

  it('rejects with RedisUnavailable while Redis is unavailable', async () => {
    const unavailable = new RedisUnavailable(new Error('Connection is closed.'))
    const away = new Proxy(redis, { get: () => () => Promise.reject(unavailable) })
    const authenticator = await createAuthenticator({
      redis: away,
      subscriber,
      keys,
      keyMarker: createMarker(),
      allowAnonymous: true,
    })
    await assert.rejects(async () => authenticator.identify('key'), RedisUnavailable)
    await assert.rejects(async () => authenticator.identify(undefined), RedisUnavailable)
    await assert.rejects(async () => authenticator.readAccessMode(), RedisUnavailable)
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

  describe('after Redis has lost the API keys', () => {
    it('rejects requests without a key, and reports the reason', async () => {
      const authenticator = await create(true)
      assert.equal(await authenticator.readAccessMode(), 'anonymous')
      const { key, account } = await makeKey()
      while ((await authenticator.readAccessMode()) !== 'keys') await new Promise(setImmediate)
      await redis.flushall()
      subscriber.emit('ready')
      for (const one of [undefined, key, 'any']) assert.equal(await authenticator.identify(one), undefined)
      assert.equal(await authenticator.readAccessMode(), 'lost')
      const again = await makeKey()
      while ((await authenticator.identify(again.key)) === undefined) await new Promise(setImmediate)
      assert.notEqual(again.account.id, account.id)
      assert.equal(await authenticator.readAccessMode(), 'keys')
    })

    it('rejects requests in a process that starts later, if the marker is set', async () => {
      const authenticator = await create(true, createMarker(true))
      assert.equal(await authenticator.identify(undefined), undefined)
      assert.equal(await authenticator.readAccessMode(), 'lost')
    })

    it('rejects requests even if none came between the first key and the loss', async () => {
      const marker = createMarker()
      const authenticator = await create(true, marker)
      assert.deepEqual(await authenticator.identify(undefined), anonymousCaller)
      await makeKey()
      while (!marker.isSet()) await new Promise(setImmediate)
      await redis.flushall()
      assert.equal(await authenticator.identify(undefined), undefined)
    })
  })

  it('reports why a key is required', async () => {
    assert.equal(await (await create(false)).readAccessMode(), 'locked')
    await makeKey()
    assert.equal(await (await create(false)).readAccessMode(), 'keys')
    assert.equal(await (await create(true)).readAccessMode(), 'keys')
    assert.equal(anonymousAccess.readAccessMode(), 'off')
  })

  it('accepts every request if authentication is off', () => {
    for (const key of [undefined, 'any'])
      assert.deepEqual(anonymousAccess.identify(key), { owner: 'anonymous' })
  })
})
