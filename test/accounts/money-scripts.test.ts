import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createAccountCheck, JobRefused } from '../../src/accounts/check-account.ts'
import { utcDayOf } from '../../src/accounts/money.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { createTestAccounts } from './job-money.ts'
import { assertLedgersAddUp } from './test-accounts.ts'

describe('the balance of an account', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let accounts: ReturnType<typeof createTestAccounts>
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    accounts = createTestAccounts(redis, 'ledger:')
  })
  after(async () => {
    try {
      await assertLedgersAddUp(accounts.ledger)
    } finally {
      await cleanup.run()
    }
  })

  async function create(limits: Parameters<typeof accounts.ledger.createAccount>[0] | object = {}) {
    const { account } = await accounts.ledger.createAccount({ name: 'ann', ...limits })
    const money = async () => {
      const current = await accounts.ledger.read(account.id)
      return [current?.balanceUsd, current?.reservedUsd, current?.heldUsd, current?.spentUsd]
    }
    const rows = async () =>
      (await accounts.ledger.listMovements(account.id, 100))
        .map(({ kind, job, balanceUsd, reservedUsd, heldUsd, spentUsd }) => [
          kind,
          job,
          balanceUsd,
          reservedUsd,
          heldUsd,
          spentUsd,
        ])
        .reverse()
    return { id: account.id, money, rows }
  }

  it('is reserved when a job is accepted, and the reply contains the remaining balance', async () => {
    const { id, money, rows } = await create({ balanceUsd: 10 })
    const { id: job, acceptance } = await accounts.accept(id, 2.5)
    assert.deepEqual(acceptance, { kind: 'accepted', remainingUsd: 7.5 })
    assert.deepEqual(await money(), [7.5, 2.5, 0, 0])
    assert.deepEqual((await rows()).at(-1), ['reserve', job, -2.5, 2.5, 0, 0])
  })

  it('is charged on success, and the rest of the reservation is refunded', async () => {
    const { id, money, rows } = await create({ balanceUsd: 10 })
    const { id: job } = await accounts.accept(id, 2.5)
    await accounts.start(job)
    await accounts.succeed(job, 1)
    assert.deepEqual(await money(), [9, 0, 0, 1])
    assert.deepEqual((await rows()).at(-1), ['charge', job, 1.5, -2.5, 0, 1])
  })

  it('is never charged more than the reserved amount', async () => {
    const { id, money } = await create({ balanceUsd: 10 })
    const { id: job } = await accounts.accept(id, 2.5)
    await accounts.start(job)
    await accounts.succeed(job, 99)
    assert.deepEqual(await money(), [7.5, 0, 0, 2.5])
  })

  it('is refunded after a failure', async () => {
    const { id, money, rows } = await create({ balanceUsd: 10 })
    const { id: job } = await accounts.accept(id, 2.5)
    await accounts.start(job)
    await accounts.fail(job)
    assert.deepEqual(await money(), [10, 0, 0, 0])
    assert.deepEqual((await rows()).at(-1), ['release', job, 2.5, -2.5, 0, 0])
  })

  it('is put on hold when the result of a purchase is unknown', async () => {
    const { id, money, rows } = await create({ balanceUsd: 10 })
    const { id: job } = await accounts.accept(id, 2.5)
    await accounts.fail(job, 'submission_unknown')
    assert.deepEqual(await money(), [7.5, 0, 2.5, 0])
    assert.deepEqual((await rows()).at(-1), ['hold', job, 0, -2.5, 2.5, 0])
  })

  it('changes once, however often a job ends', async () => {
    const { id, money } = await create({ balanceUsd: 10 })
    const { id: job } = await accounts.accept(id, 2.5)
    const claimed = await accounts.store.claimStep(job, 1)
    await accounts.fail(job)
    assert.ok(typeof claimed === 'object')
    await assert.rejects(accounts.succeed(job), /ended/)
    assert.deepEqual(await money(), [10, 0, 0, 0])
  })

  it('is recorded as usage, too, if the account has no balance', async () => {
    const { id, money } = await create()
    const { id: job, acceptance } = await accounts.accept(id, 2)
    assert.deepEqual(acceptance, { kind: 'accepted' })
    assert.deepEqual(await money(), [undefined, 2, 0, 0])
    await accounts.start(job)
    await accounts.succeed(job)
    assert.deepEqual(await money(), [undefined, 0, 0, 2])
    const { id: other } = await accounts.accept(id, 3)
    await accounts.fail(other)
    assert.deepEqual(await money(), [undefined, 0, 0, 2])
  })

  it('does not grow by a refund that was not taken from it', async () => {
    const { id, money } = await create()
    const { id: job } = await accounts.accept(id, 2)
    await accounts.ledger.setLimits(id, { balanceUsd: 5 })
    await accounts.fail(job)
    assert.deepEqual(await money(), [5, 0, 0, 0])
  })

  it('is not refunded after the balance limit was removed', async () => {
    const { id, money } = await create({ balanceUsd: 10 })
    const { id: job } = await accounts.accept(id, 2.5)
    await accounts.ledger.setLimits(id, { balanceUsd: null })
    await accounts.fail(job)
    assert.deepEqual(await money(), [undefined, 0, 0, 0])
  })

  it('is not changed by a job from before accounts existed', async () => {
    const { id, money } = await create({ balanceUsd: 10 })
    const { id: job } = await accounts.accept(id, 2.5)
    await redis.hdel(accounts.keys.job(job), 'reserved', 'paid')
    assert.equal(await accounts.fail(job), true)
    assert.deepEqual(await money(), [7.5, 2.5, 0, 0])
  })

  it('can go down to exactly zero, and not below', async () => {
    const { id, money } = await create({ balanceUsd: 5 })
    assert.equal((await accounts.accept(id, 2.5)).acceptance.kind, 'accepted')
    assert.deepEqual((await accounts.accept(id, 2.5)).acceptance, { kind: 'accepted', remainingUsd: 0 })
    const refused = await accounts.accept(id, 0.01)
    assert.deepEqual(refused.acceptance, { kind: 'balance', remainingUsd: 0 })
    assert.equal(await accounts.store.readStatus(refused.id), undefined)
    assert.deepEqual(await money(), [0, 5, 0, 0])
  })

  it('of a revoked key pays for no new job, but running jobs continue', async () => {
    const { id, money } = await create({ balanceUsd: 5 })
    const { id: job } = await accounts.accept(id, 1)
    await accounts.ledger.revokeAccount(id)
    assert.deepEqual((await accounts.accept(id, 1)).acceptance, { kind: 'revoked' })
    await accounts.start(job)
    await accounts.succeed(job)
    assert.deepEqual(await money(), [4, 0, 0, 1])
  })

  describe('and its daily limit', () => {
    const daily = (dailyUsd: number) => create({ dailyUsd })

    it('is reached at exactly its amount', async () => {
      const { id } = await daily(3)
      assert.equal((await accounts.accept(id, 3)).acceptance.kind, 'accepted')
      assert.deepEqual((await accounts.accept(id, 0.01)).acceptance, { kind: 'daily', limitUsd: 3 })
    })

    it('is available again after a refund', async () => {
      const { id } = await daily(3)
      const { id: job } = await accounts.accept(id, 3)
      await accounts.fail(job)
      assert.equal((await accounts.accept(id, 3)).acceptance.kind, 'accepted')
    })

    it('is available again by the part of the reservation that was not charged', async () => {
      const { id } = await daily(3)
      const { id: job } = await accounts.accept(id, 3)
      await accounts.start(job)
      await accounts.succeed(job, 1)
      assert.equal((await accounts.accept(id, 2.01)).acceptance.kind, 'daily')
      assert.equal((await accounts.accept(id, 2)).acceptance.kind, 'accepted')
    })

    it('is not available while money is on hold', async () => {
      const { id } = await daily(3)
      const { id: job } = await accounts.accept(id, 3)
      await accounts.fail(job, 'submission_unknown')
      assert.equal((await accounts.accept(id, 1)).acceptance.kind, 'daily')
      await accounts.holds.decide(id, job, { decision: 'release', by: 'test' }, Date.now())
      assert.equal((await accounts.accept(id, 3)).acceptance.kind, 'accepted')
    })

    it('stays used if the operator charges the money on hold', async () => {
      const { id } = await daily(3)
      const { id: job } = await accounts.accept(id, 3)
      await accounts.fail(job, 'submission_unknown')
      await accounts.holds.decide(id, job, { decision: 'charge', by: 'test' }, Date.now())
      assert.equal((await accounts.accept(id, 0.01)).acceptance.kind, 'daily')
    })

    it('counts a job on the day of its submit', async () => {
      const { id } = await daily(3)
      const yesterday = await accounts.accept(id, 3, { createdAt: Date.now() - 86_400_000 })
      assert.equal(yesterday.acceptance.kind, 'accepted')
      assert.equal((await accounts.accept(id, 3)).acceptance.kind, 'accepted')
      await accounts.fail(yesterday.id)
      assert.equal((await accounts.accept(id, 0.01)).acceptance.kind, 'daily')
    })
  })

  it('is counted by day and model, and the counters expire', async () => {
    const { id } = await create()
    const now = Date.now()
    await accounts.accept((await create()).id, 1)
    const first = await accounts.accept(id, 2, { model: 'first' })
    assert.ok((await redis.pttl(accounts.keys.usage(id, utcDayOf(now)))) > 0)
    await accounts.fail(first.id)
    await redis.hdel(accounts.keys.usage(id, utcDayOf(now)), 'first|jobs', 'first|failed')
    for (const [model, end] of [
      ['veo', 'succeed'],
      ['veo', 'fail'],
      ['kling', 'succeed'],
    ] as const) {
      const { id: job } = await accounts.accept(id, 2, { model })
      await accounts.start(job)
      await accounts[end](job)
    }
    const old = await accounts.accept(id, 7, { createdAt: now - 86_400_000 })
    const day = utcDayOf(now)
    assert.deepEqual(await accounts.usage([id], 1, now), [
      { day, key: id, model: 'kling', jobs: 1, succeeded: 1, failed: 0, canceled: 0, usd: 2 },
      { day, key: id, model: 'veo', jobs: 2, succeeded: 1, failed: 1, canceled: 0, usd: 2 },
    ])
    assert.equal((await accounts.usage([id], 2, now)).at(-1)?.day, utcDayOf(now - 86_400_000))
    assert.deepEqual(await accounts.usage([id], 0, now), [])
    await accounts.fail(old.id, 'canceled')
    assert.equal((await accounts.usage([id], 2, now)).at(-1)?.canceled, 1)
    const ttl = await redis.pttl(accounts.keys.usage(id, day))
    assert.ok(ttl > 399 * 86_400_000 && ttl <= 400 * 86_400_000)
  })

  it('is counted until 400 days after its first job of the day', async () => {
    const { id } = await create()
    await accounts.accept(id, 1)
    const usage = accounts.keys.usage(id, utcDayOf(Date.now()))
    await redis.pexpire(usage, 5_000_000)
    await accounts.accept(id, 1)
    assert.ok((await redis.pttl(usage)) <= 5_000_000)
  })

  it('is checked before a job is stored, with the same rules', async () => {
    const check = createAccountCheck({ redis, keys: accounts.keys })
    const rejection = async (id: string, costUsd?: number) => {
      try {
        await check(id, costUsd)
        return 'allowed'
      } catch (cause) {
        if (!(cause instanceof JobRefused)) throw cause
        if (cause.reason.kind !== 'revoked') assert.equal(cause.costUsd, costUsd ?? 0)
        return cause.reason
      }
    }
    const free = await create()
    assert.equal(await rejection(free.id, 1e6), 'allowed')
    const daily = await create({ dailyUsd: 3 })
    assert.equal(await rejection(daily.id, 3), 'allowed')
    assert.deepEqual(await rejection(daily.id, 3.01), { kind: 'daily', limitUsd: 3 })
    const limited = await create({ balanceUsd: 2, dailyUsd: 3 })
    assert.equal(await rejection(limited.id, 2), 'allowed')
    assert.deepEqual(await rejection(limited.id, 2.01), { kind: 'balance', remainingUsd: 2 })
    assert.deepEqual(await rejection(limited.id, 3.01), { kind: 'daily', limitUsd: 3 })
    assert.equal(await rejection(limited.id), 'allowed')
    await accounts.accept(limited.id, 2)
    assert.deepEqual(await rejection(limited.id, 1.01), { kind: 'daily', limitUsd: 3 })
    assert.deepEqual(await rejection(limited.id), { kind: 'balance', remainingUsd: 0 })
    await accounts.ledger.revokeAccount(limited.id)
    assert.deepEqual(await rejection(limited.id, 0), { kind: 'revoked' })
  })

  describe('on hold', () => {
    async function hold(limits = {}, work?: object) {
      const account = await create(limits)
      const { id: job } = await accounts.accept(account.id, 2.5)
      if (work !== undefined) await accounts.start(job, work)
      await accounts.fail(job, work === undefined ? 'submission_unknown' : 'task_lost')
      return { ...account, job }
    }
    const decide = (id: string, job: string, decision: 'charge' | 'release', note?: string) =>
      accounts.holds.decide(
        id,
        job,
        { decision, by: 'olga', ...(note !== undefined && { note }) },
        1_800_000_000_000,
      )

    it('is listed with the data of the attempt', async () => {
      const began = Date.now()
      const { id, job } = await hold({}, { ticket: { task: 'x' } })
      const ended = Date.now()
      const [account] = await accounts.holds.of(id)
      const { since = 0, ...rest } = account ?? assert.fail()
      assert.ok(since >= began && since <= ended, `${began} ${since} ${ended}`)
      assert.deepEqual(rest, {
        job,
        owner: id,
        model: 'veo',
        usd: 2.5,
        code: 'task_lost',
        provider: 'fal',
        attempt: 'attempt',
        attemptAt: 5,
        ticket: { task: 'x' },
      })
      assert.ok((await accounts.holds.listAll()).some((one) => one.job === job && one.owner === id))
      assert.equal(await accounts.holds.findOwner(job), id)
      await redis.del(accounts.keys.job(job))
      assert.equal(await accounts.holds.findOwner(job), id)
      assert.equal(await accounts.holds.findOwner('nobody'), undefined)
    })

    it('is charged by the operator', async () => {
      const { id, job, money, rows } = await hold({ balanceUsd: 10 })
      const decided = await decide(id, job, 'charge', 'billed')
      assert.equal(decided.kind, 'done')
      assert.deepEqual(await money(), [7.5, 0, 0, 2.5])
      assert.deepEqual((await rows()).at(-1), ['charge', job, 0, 0, -2.5, 2.5])
      const [entry] = await accounts.ledger.listMovements(id, 1)
      assert.equal(entry?.by, 'olga')
      assert.equal(entry?.note, 'billed')
      assert.equal((await accounts.usage([id], 1))[0]?.usd, 2.5)
    })

    it('is refunded by a release', async () => {
      const { id, job, money, rows } = await hold({ balanceUsd: 10 })
      assert.equal((await decide(id, job, 'release')).kind, 'done')
      assert.deepEqual(await money(), [10, 0, 0, 0])
      assert.deepEqual((await rows()).at(-1), ['release', job, 2.5, 0, -2.5, 0])
      const [entry] = await accounts.ledger.listMovements(id, 1)
      assert.equal(entry && 'note' in entry, false)
      assert.equal(entry?.by, 'olga')
      assert.deepEqual(await accounts.store.readNotes(job), [
        { at: 1_800_000_000_000, kind: 'release', by: 'olga' },
      ])
      assert.equal('note' in ((await accounts.holds.readDecision(job)) ?? { note: '' }), false)
      assert.equal((await accounts.usage([id], 1))[0]?.usd, 0)
    })

    it('is not refunded to a balance if it was not taken from one', async () => {
      const { id, job, money } = await hold()
      await decide(id, job, 'release')
      assert.deepEqual(await money(), [undefined, 0, 0, 0])
    })

    it('is decided once, and a second decision returns the first', async () => {
      const { id, job, money } = await hold({ balanceUsd: 10 })
      const first = await decide(id, job, 'charge', 'billed')
      const second = await decide(id, job, 'release')
      assert.equal(second.kind, 'decided')
      assert.ok(first.kind === 'done' && second.kind === 'decided')
      assert.deepEqual(second.first, first.first)
      assert.deepEqual(first.first, {
        job,
        owner: id,
        decision: 'charge',
        usd: 2.5,
        at: 1_800_000_000_000,
        by: 'olga',
        note: 'billed',
      })
      assert.deepEqual(await money(), [7.5, 0, 0, 2.5])
      assert.deepEqual(await accounts.holds.of(id), [])
      assert.deepEqual(await accounts.holds.readDecision(job), first.first)
      const ttl = await redis.pttl(accounts.keys.decision(job))
      assert.ok(ttl > 399 * 86_400_000)
    })

    it('is recorded in the history of the job, if the job still has one', async () => {
      const { id, job } = await hold()
      await decide(id, job, 'charge', 'billed')
      const [note] = await accounts.store.readNotes(job)
      assert.deepEqual(note, { at: 1_800_000_000_000, kind: 'charge', by: 'olga', text: 'billed' })
      assert.ok((await redis.pttl(accounts.keys.notes(job))) > 0)
      const missing = await hold()
      await redis.del(accounts.keys.job(missing.job))
      await decide(missing.id, missing.job, 'charge')
      assert.equal(await redis.exists(accounts.keys.notes(missing.job)), 0)
    })

    it('cannot be decided if it is not on hold', async () => {
      const { id } = await create()
      assert.deepEqual(await decide(id, 'nobody', 'charge'), { kind: 'none' })
      assert.equal(await accounts.holds.readDecision('nobody'), undefined)
    })
  })
})
