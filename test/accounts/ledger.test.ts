import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createLedger, hashKey } from '../../src/accounts/ledger.ts'
import { OperationRefused } from '../../src/accounts/operation.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { createTestAccounts } from './job-money.ts'

async function reasonOf(work: Promise<unknown>) {
  try {
    await work
    return 'done'
  } catch (cause) {
    return cause instanceof OperationRefused ? cause.reason : assert.fail(String(cause))
  }
}

describe('the accounts', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let accounts: ReturnType<typeof createTestAccounts>
  let changedAccounts: string[] = []
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    accounts = createTestAccounts(redis, 'book:')
    const listener = redis.duplicate({ enableOfflineQueue: true })
    cleanup.add(() => listener.disconnect())
    listener.on('message', (_, id: string) => changedAccounts.push(id))
    await listener.subscribe(accounts.keys.accountChanges)
  })
  after(() => cleanup.run())

  const waitForChange = async (id: string) => {
    while (!changedAccounts.includes(id)) await new Promise(setImmediate)
    changedAccounts = []
  }
  const tags = async (id: string) =>
    (await accounts.ledger.listMovements(id, 10)).map(({ kind, balanceUsd, operation, note }) => [
      kind,
      balanceUsd,
      operation,
      note,
    ])

  it('are created with a key that is stored as a hash only', async () => {
    const before = Date.now()
    const { key, account } = await accounts.ledger.createAccount({
      name: 'ann',
      rpm: 5,
      dailyUsd: 20,
      balanceUsd: 100,
    })
    assert.match(key, /^sk-reelgate-[\w-]{43}$/)
    assert.match(account.id, /^key_[0-9a-f]{16}$/)
    const { createdAt, ...rest } = account
    assert.ok(createdAt >= before && createdAt <= Date.now())
    assert.deepEqual(rest, {
      id: account.id,
      name: 'ann',
      hint: key.slice(-4),
      rpm: 5,
      dailyUsd: 20,
      balanceUsd: 100,
      reservedUsd: 0,
      heldUsd: 0,
      spentUsd: 0,
    })
    assert.deepEqual(await accounts.ledger.read(account.id), account)
    assert.equal(await redis.hget(accounts.keys.account(account.id), 'id'), account.id)
    assert.equal(
      await redis.hget(accounts.keys.keyHashes, createHash('sha256').update(key).digest('hex')),
      account.id,
    )
    assert.equal(hashKey(key), createHash('sha256').update(key).digest('hex'))
    for (const name of await redis.keys('*')) {
      if ((await redis.type(name)) === 'hash')
        assert.equal(JSON.stringify(await redis.hgetall(name)).includes(key), false)
    }
    await waitForChange(account.id)
    assert.equal((await accounts.ledger.listMovements(account.id, 1))[0]?.kind, 'set')
  })

  it('have no limits by default', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'bob' })
    for (const limit of ['rpm', 'dailyUsd', 'balanceUsd', 'revokedAt']) assert.equal(limit in account, false)
    assert.equal(await accounts.ledger.readBalanceUsd(account.id), undefined)
    assert.deepEqual(await accounts.ledger.listMovements(account.id, 10), [])
    assert.equal(await accounts.ledger.read('nobody'), undefined)
  })

  it('are listed by age, revoked ones too', async () => {
    const first = (await accounts.ledger.createAccount({ name: 'first' })).account.id
    await new Promise((resolve) => setTimeout(resolve, 2))
    const second = (await accounts.ledger.createAccount({ name: 'second' })).account.id
    await accounts.ledger.revokeAccount(first)
    await waitForChange(first)
    const list = await accounts.ledger.listAccounts()
    assert.deepEqual(
      list.slice(-2).map(({ id }) => id),
      [first, second],
    )
    assert.ok((list.at(-2)?.revokedAt ?? 0) > 0)
    const revokedAt = list.at(-2)?.revokedAt
    await accounts.ledger.revokeAccount(first)
    assert.equal((await accounts.ledger.read(first))?.revokedAt, revokedAt)
  })

  it('change the named fields and nothing else', async () => {
    const { account } = await accounts.ledger.createAccount({
      name: 'cid',
      rpm: 5,
      dailyUsd: 20,
      balanceUsd: 100,
    })
    const { id } = account
    await waitForChange(id)
    await accounts.ledger.setLimits(id, { rpm: 7 })
    await waitForChange(id)
    assert.deepEqual(await accounts.ledger.read(id), { ...account, rpm: 7 })
    await accounts.ledger.setLimits(id, { dailyUsd: 3 })
    await accounts.ledger.setLimits(id, { rpm: null })
    const { rpm: _, ...withoutRpm } = account
    assert.deepEqual(await accounts.ledger.read(id), { ...withoutRpm, dailyUsd: 3 })
    await accounts.ledger.setLimits(id, { dailyUsd: null, balanceUsd: null })
    const changed = await accounts.ledger.read(id)
    assert.equal(changed && ('dailyUsd' in changed || 'balanceUsd' in changed), false)
    assert.equal((await accounts.ledger.listMovements(id, 1))[0]?.kind, 'lift')
    assert.equal((await accounts.ledger.listMovements(id, 1))[0]?.balanceUsd, -100)
  })

  it('have exactly the balance that is set', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'dan', balanceUsd: 10 })
    await accounts.ledger.setLimits(account.id, { balanceUsd: 4 })
    assert.equal(await accounts.ledger.readBalanceUsd(account.id), 4)
    assert.deepEqual(
      (await accounts.ledger.listMovements(account.id, 1)).map(({ kind, balanceUsd }) => [kind, balanceUsd]),
      [['set', -6]],
    )
    await accounts.ledger.setLimits(account.id, { balanceUsd: 0 })
    assert.equal(await accounts.ledger.readBalanceUsd(account.id), 0)
  })

  it('are topped up, and corrected down to zero but not below', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'eve' })
    const { id } = account
    await accounts.ledger.topUp(id, 10, { note: 'invoice 1' })
    assert.equal(await accounts.ledger.readBalanceUsd(id), 10)
    assert.equal((await accounts.ledger.listMovements(id, 1))[0]?.note, 'invoice 1')
    await accounts.ledger.topUp(id, -10)
    assert.equal(await accounts.ledger.readBalanceUsd(id), 0)
    assert.deepEqual(await reasonOf(accounts.ledger.topUp(id, -0.01)), { kind: 'negative', balanceUsd: 0 })
    const { account: other } = await accounts.ledger.createAccount({ name: 'fay' })
    assert.deepEqual(await reasonOf(accounts.ledger.topUp(other.id, -1)), {
      kind: 'negative',
      balanceUsd: undefined,
    })
    assert.deepEqual(await reasonOf(accounts.ledger.topUp(other.id, -0.000001)), {
      kind: 'negative',
      balanceUsd: undefined,
    })
    assert.equal(await accounts.ledger.readBalanceUsd(other.id), undefined)
  })

  it('that expired from Redis are not listed', async () => {
    await redis.zadd(accounts.keys.accounts, 1, 'ghost')
    assert.ok((await accounts.ledger.listAccounts()).every((account) => account.id !== 'ghost'))
    await redis.zrem(accounts.keys.accounts, 'ghost')
  })

  it('set and top up a balance in one change, all or nothing', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'gil', balanceUsd: 1, rpm: 2 })
    const { id } = account
    await accounts.ledger.change(id, { balanceUsd: 5, topUpUsd: 2 })
    assert.equal(await accounts.ledger.readBalanceUsd(id), 7)
    assert.deepEqual(await reasonOf(accounts.ledger.change(id, { balanceUsd: 5, topUpUsd: -6, rpm: 9 })), {
      kind: 'negative',
      balanceUsd: 5,
    })
    assert.deepEqual(await reasonOf(accounts.ledger.change(id, { balanceUsd: null, topUpUsd: -1 })), {
      kind: 'negative',
      balanceUsd: undefined,
    })
    assert.equal(await accounts.ledger.readBalanceUsd(id), 7)
    assert.equal((await accounts.ledger.read(id))?.rpm, 2)
    await accounts.ledger.change(id, { balanceUsd: null, topUpUsd: 3 })
    assert.equal(await accounts.ledger.readBalanceUsd(id), 3)
  })

  it('cannot be changed if they do not exist', async () => {
    assert.deepEqual(await reasonOf(accounts.ledger.topUp('nobody', 1)), { kind: 'absent' })
    assert.equal(await redis.exists(accounts.keys.account('nobody'), accounts.keys.ledger('nobody')), 0)
  })

  describe('with an operation ID', () => {
    it('change once', async () => {
      const { account } = await accounts.ledger.createAccount({ name: 'hal' })
      const { id } = account
      const operation = { id: 'op-1', note: 'n' }
      const first = await accounts.ledger.change(id, { topUpUsd: 5 }, operation)
      await accounts.ledger.topUp(id, 1)
      const second = await accounts.ledger.change(id, { topUpUsd: 5 }, operation)
      assert.equal(first.replayed, false)
      assert.deepEqual(second, { account: first.account, replayed: true })
      assert.equal(await accounts.ledger.readBalanceUsd(id), 6)
      assert.deepEqual((await tags(id)).at(-1), ['topup', 5, 'op-1', 'n'])
    })

    it('reject the ID with another change', async () => {
      const { account } = await accounts.ledger.createAccount({ name: 'ida' })
      const { id } = account
      await accounts.ledger.change(id, { topUpUsd: 5 }, { id: 'op-2', note: 'n' })
      for (const [change, note] of [
        [{ topUpUsd: 6 }, 'n'],
        [{ topUpUsd: 5 }, 'm'],
        [{ topUpUsd: 5, rpm: 1 }, 'n'],
        [{ topUpUsd: 5, rpm: null }, 'n'],
        [{ balanceUsd: 5 }, 'n'],
        [{ dailyUsd: 5 }, 'n'],
      ] as const)
        assert.deepEqual(await reasonOf(accounts.ledger.change(id, change, { id: 'op-2', note })), {
          kind: 'reused',
        })
      assert.equal(await accounts.ledger.readBalanceUsd(id), 5)
    })

    it('create one key and return its ID', async () => {
      const { account } = await accounts.ledger.createAccount({ name: 'jan' }, { id: 'op-3' })
      assert.deepEqual(await reasonOf(accounts.ledger.createAccount({ name: 'jan' }, { id: 'op-3' })), {
        kind: 'created',
        id: account.id,
      })
      assert.deepEqual(await reasonOf(accounts.ledger.createAccount({ name: 'other' }, { id: 'op-3' })), {
        kind: 'reused',
      })
      assert.equal((await accounts.ledger.listAccounts()).filter(({ name }) => name === 'jan').length, 1)
    })

    it('record the ID in the ledger when they set a balance', async () => {
      const { account } = await accounts.ledger.createAccount({ name: 'lea', balanceUsd: 3 }, { id: 'op-4' })
      await accounts.ledger.change(account.id, { balanceUsd: 2 }, { id: 'op-5' })
      assert.deepEqual(await tags(account.id), [
        ['set', -1, 'op-5', undefined],
        ['set', 3, 'op-4', undefined],
      ])
    })

    it('remember the operation for a day', async () => {
      const fingerprint = await redis.hget(accounts.keys.operation(hashKey('op-3')), 'fingerprint')
      assert.match(fingerprint ?? '', /^[\da-f]{64}$/)
      const ttl = await redis.pttl(accounts.keys.operation(hashKey('op-3')))
      assert.ok(ttl > 86_000_000 && ttl <= 86_400_000)
    })
  })

  it('have no balance movement without a balance', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'max', balanceUsd: null })
    assert.deepEqual(await accounts.ledger.listMovements(account.id, 10), [])
  })

  it('have no note if none was given', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'mia' })
    await accounts.ledger.topUp(account.id, 1)
    assert.equal((await tags(account.id))[0]?.[3], undefined)
  })

  it('count single micro-dollars', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'mo', balanceUsd: 0.000001 })
    await accounts.ledger.topUp(account.id, 0.000001)
    assert.equal(await accounts.ledger.readBalanceUsd(account.id), 0.000002)
  })

  describe('whose command Redis receives twice', () => {
    const twice = () =>
      createLedger({
        keys: accounts.keys,
        redis: new Proxy(redis, {
          get(target, name) {
            const value = Reflect.get(target, name)
            if (!/^reelgate/.test(String(name)))
              return typeof value === 'function' ? value.bind(target) : value
            return async (...args: unknown[]) => {
              await value.apply(target, args)
              return value.apply(target, args)
            }
          },
        }),
      })

    it('are created once', async () => {
      const { account } = await twice().createAccount({ name: 'ned', balanceUsd: 5 })
      assert.equal(account.balanceUsd, 5)
      assert.equal((await tags(account.id)).length, 1)
      assert.equal((await accounts.ledger.listAccounts()).filter(({ name }) => name === 'ned').length, 1)
    })

    it('are changed once', async () => {
      const { account } = await accounts.ledger.createAccount({ name: 'ora', balanceUsd: 5 })
      const changed = await twice().change(account.id, { topUpUsd: 1 })
      assert.deepEqual([changed.account.balanceUsd, changed.replayed], [6, true])
      assert.equal((await tags(account.id)).length, 2)
    })
  })

  it('show the newest movements first, up to the requested number', async () => {
    const { account } = await accounts.ledger.createAccount({ name: 'kay' })
    for (const usd of [1, 2, 3]) await accounts.ledger.topUp(account.id, usd)
    const ledger = await accounts.ledger.listMovements(account.id, 2)
    assert.deepEqual(
      ledger.map(({ balanceUsd }) => balanceUsd),
      [3, 2],
    )
    const [entry] = ledger
    assert.ok(Math.abs((entry?.at ?? 0) - Date.now()) < 60_000)
    assert.equal(entry && 'job' in entry, false)
  })
})
