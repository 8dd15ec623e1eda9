import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createKeys } from '../../src/redis/keys.ts'
import { createCleanup, startRedis, startTestGateway, temporaryFolder } from '../support/setup.ts'
import { createSandboxAccounts } from './sandbox-money.ts'
import { cheapJob, clientOf, createTestLedger, operatorKey } from './test-accounts.ts'

describe('the money of sandbox jobs', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let address: string
  let money: ReturnType<typeof createTestLedger>

  before(async () => {
    const server = await startRedis(cleanup)
    redis = server.redis
    money = createTestLedger({ redis, keys: createKeys('reelgate:') })
    const gateway = await startTestGateway(cleanup, {
      REDIS_URL: server.url,
      DATA_DIR: await temporaryFolder(cleanup),
      SANDBOX: 'on',
      SANDBOX_RENDER_SECONDS: '0',
      POLL_MAX_MS: '50',
      RECONCILE_SECONDS: '2',
      UPSTREAM_TIMEOUT_SECONDS: '1',
      ADMIN_KEY: operatorKey,
    })
    address = gateway.address
  })
  after(() => cleanup.run())

  it('a balance and a daily limit below the price allow the job, and neither changes', async () => {
    const { key, account } = await money.ledger.createAccount({
      name: 'poor',
      balanceUsd: 0.1,
      dailyUsd: 0.1,
    })
    const client = clientOf(address, key)
    const { status, body } = await client.submit()
    assert.deepEqual(
      [status, body.cost, body.remainingBalance, body.sandbox],
      [202, 0.5, 0.1, true],
      JSON.stringify(body),
    )
    const end = await client.waitForEnd(body.runId)
    assert.deepEqual([end.stage, end.cost], ['succeeded', 0.5])
    assert.deepEqual(await money.ledger.read(account.id), account)

    const movements = await money.ledger.listMovements(account.id, 10)
    assert.deepEqual(
      movements.map(({ kind, job, sandbox, balanceUsd, reservedUsd, spentUsd }) => [
        kind,
        job,
        sandbox,
        balanceUsd,
        reservedUsd,
        spentUsd,
      ]),
      [
        ['release', body.runId, true, 0, 0, 0],
        ['reserve', body.runId, true, 0, 0, 0],
        ['set', undefined, undefined, 0.1, 0, 0],
      ],
    )
    const usage = (await client.request('GET', '/api/usage')).body
    assert.deepEqual(usage.total, { jobs: 1, usd: 0, sandboxJobs: 1 })
    const [row] = usage.data as { sandbox?: boolean; jobs: number; succeeded: number; usd: number }[]
    assert.deepEqual([row?.sandbox, row?.jobs, row?.succeeded, row?.usd], [true, 1, 1, 0])
  })

  it('a request with a file is not rejected for a balance of 0', async () => {
    const { key } = await money.ledger.createAccount({ name: 'nothing', balanceUsd: 0 })
    const image = `data:image/png;base64,${'A'.repeat(70_000)}`
    const { status } = await clientOf(address, key).submit({ ...cheapJob, image })
    assert.notEqual(status, 402)
  })

  it('a submission with a lost reply puts no money on hold', async () => {
    const { key, account } = await money.ledger.createAccount({ name: 'unknown', balanceUsd: 1 })
    const client = clientOf(address, key)
    const { body } = await client.submit({ ...cheapJob, prompt: 'sandbox:lost' })
    await client.waitForEnd(body.runId)
    assert.deepEqual(await money.ledger.read(account.id), account)
    assert.deepEqual(await money.holds.of(account.id), [])
  })
})

describe('sandbox jobs of version 0.1, which reserved money', () => {
  const cleanup = createCleanup()
  let records: ReturnType<typeof createSandboxAccounts>

  before(async () => {
    records = createSandboxAccounts((await startRedis(cleanup)).redis, 'old:')
  })
  after(() => cleanup.run())

  it('refund it when they succeed', async () => {
    const { account, id } = await records.acceptOld()
    assert.equal((await records.ledger.read(account))?.reservedUsd, 0.5)
    await records.succeed(id)
    const { balanceUsd, reservedUsd, spentUsd } = (await records.ledger.read(account)) ?? assert.fail()
    assert.deepEqual([balanceUsd, reservedUsd, spentUsd], [1, 0, 0])
    const [row] = await records.usage([account], 1)
    assert.deepEqual([row?.jobs, row?.succeeded, row?.usd], [1, 1, 0])
  })

  it('refund the money on hold, and are never charged', async () => {
    const { account, id } = await records.acceptOld()
    await records.holdOld(id)
    assert.equal((await records.ledger.read(account))?.heldUsd, 0.5)
    const by = 'test'
    assert.equal(
      (await records.holds.decide(account, id, { decision: 'charge', by }, Date.now())).kind,
      'sandbox',
    )
    assert.equal(
      (await records.holds.decide(account, id, { decision: 'release', by }, Date.now())).kind,
      'done',
    )
    const { balanceUsd, heldUsd, spentUsd } = (await records.ledger.read(account)) ?? assert.fail()
    assert.deepEqual([balanceUsd, heldUsd, spentUsd], [1, 0, 0])
  })
})

it('sandbox jobs are allowed when real jobs have exceeded the daily limit', async (t) => {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const records = createSandboxAccounts((await startRedis(cleanup)).redis, 'daily:')
  const { account } = await records.ledger.createAccount({ name: 'spent', dailyUsd: 1 })
  await records.accept(account.id, 0.5)
  await records.ledger.setLimits(account.id, { dailyUsd: 0.4 })
  assert.equal((await records.accept(account.id, 0.1)).acceptance.kind, 'daily')
  assert.equal((await records.acceptSandbox(account.id)).kind, 'accepted')
})
