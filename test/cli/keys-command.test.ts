import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CommandError, runKeysCommand } from '../../src/cli/keys-command.ts'
import { createUnknownJobs } from '../../src/jobs/unknown-jobs.ts'
import { createTestAccounts } from '../accounts/job-money.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

describe('the command line for keys', () => {
  const cleanup = createCleanup()
  let accounts: ReturnType<typeof createTestAccounts>
  let unknown: ReturnType<typeof createUnknownJobs>
  before(async () => {
    const { redis } = await startRedis(cleanup)
    accounts = createTestAccounts(redis, 'command:')
    unknown = createUnknownJobs({
      store: accounts.store,
      holds: accounts.holds,
      routing: { find: () => undefined },
      settingsOf: () => ({}),
      deadlineMs: () => 60_000,
    })
  })
  after(() => cleanup.run())

  const run = (...args: string[]) =>
    runKeysCommand({ ledger: accounts.ledger, holds: accounts.holds, unknownJobs: unknown }, args)
  const fails = (message: RegExp, ...args: string[]) =>
    assert.rejects(run(...args), (cause) => cause instanceof CommandError && message.test(cause.message))
  const make = async (...limits: string[]) => {
    const printed = await run('create', '--name', 'ann', ...limits)
    const [, id = ''] = /(key_[0-9a-f]{16})/.exec(printed) ?? []
    return { id, printed }
  }

  it('prints its usage', async () => {
    assert.equal(await run(), await run('help'))
    for (const verb of ['create', 'list', 'limit', 'topup', 'revoke', 'ledger', 'held', 'unknown', 'resolve'])
      assert.match(await run('help'), new RegExp(`keys -- ${verb}`))
    await fails(/no command fly[\s\S]*npm run keys/, 'fly', (await make()).id)
  })

  it('shows a key once, when it is created', async () => {
    const { id, printed } = await make('--rpm', '50', '--daily-usd', '20', '--balance', '100')
    const [key = ''] = printed.split('\n')
    assert.match(key, /^sk-reelgate-/)
    const list = await run('list')
    assert.equal(list.includes(key), false)
    const row = list.split('\n').find((line) => line.startsWith(id)) ?? ''
    assert.deepEqual(row.split(/ {2,}/), [
      id,
      'ann',
      `…${key.slice(-4)}`,
      'valid',
      '50',
      '$20',
      '$100',
      '$0',
      '$0',
      '$0',
    ])
    const shown = printed.split('\n').find((line) => line.startsWith(id)) ?? ''
    assert.deepEqual(shown.split(/ {2,}/), row.split(/ {2,}/))
    assert.match(list, /^id +name +key +state +rpm +per day +balance +reserved +held +spent\n/)
  })

  it('aligns its columns', async () => {
    await run('create', '--name', 'a long name of an account')
    const lines = (await run('list')).trimEnd().split('\n')
    const column = lines[0]?.indexOf('key ') ?? 0
    for (const line of lines.slice(1)) assert.equal(line[column], '…')
    assert.ok(lines.every((line) => line === line.trimEnd()))
  })

  it('requires a name for a key', async () => {
    await fails(/--name/, 'create')
    await fails(/--name/, 'create', '--name', '  ')
  })

  it('sets and lifts limits', async () => {
    const { id } = await make()
    await run('limit', id, '--rpm', '3', '--daily-usd', '2.5', '--balance', '0')
    const { rpm, dailyUsd, balanceUsd } = (await accounts.ledger.read(id)) ?? assert.fail()
    assert.deepEqual([rpm, dailyUsd, balanceUsd], [3, 2.5, 0])
    await run('limit', id, '--rpm', 'none', '--daily-usd', 'none')
    const left = (await accounts.ledger.read(id)) ?? assert.fail()
    assert.deepEqual([left.rpm, left.dailyUsd, left.balanceUsd], [undefined, undefined, 0])
    const row = (await run('limit', id, '--balance', 'none')).split('\n')[1] ?? ''
    assert.deepEqual(row.split(/ {2,}/).slice(3, 7), ['valid', 'default', 'unlimited', 'unlimited'])
  })

  it('tops up, and corrects downwards', async () => {
    const { id } = await make()
    await run('topup', id, '10', '--note', 'invoice 1')
    await run('topup', id, '-2.5')
    assert.equal(await accounts.ledger.readBalanceUsd(id), 7.5)
    assert.equal((await accounts.ledger.listMovements(id, 2))[1]?.note, 'invoice 1')
    await run('topup', '-1', id, '--note', 'first')
    assert.equal(await accounts.ledger.readBalanceUsd(id), 6.5)
    await fails(/cannot become negative/, 'topup', id, '-100')
    await run('-0.5', 'topup', id)
    assert.equal(await accounts.ledger.readBalanceUsd(id), 6)
    await fails(/USD must be a number .*it is ""$/, 'topup', id)
    await fails(/USD must be a number from -1000000000 to 1000000000/, 'topup', id, '-1000000001')
    await fails(/USD must be a number/, 'topup', id, '1000000001')
  })

  it('applies an operation once', async () => {
    const { id } = await make()
    for (let n = 0; n < 2; n++) await run('topup', id, '10', '--operation', 'a!~')
    assert.equal(await accounts.ledger.readBalanceUsd(id), 10)
    await fails(/another request/, 'topup', id, '11', '--operation', 'a!~')
    await run('create', '--name', 'once', '--operation', 'create-1')
    await fails(/created the key key_/, 'create', '--name', 'once', '--operation', 'create-1')
  })

  it('explains an invalid value', async () => {
    const { id } = await make()
    for (const value of ['x', '', ' ', '-1', '1e10', 'NaN'])
      await fails(/--daily-usd must be a number/, 'limit', id, `--daily-usd=${value}`)
    for (const value of ['0', '1.5', '0.5'])
      await fails(/--rpm must be a whole number from 1/, 'limit', id, '--rpm', value)
    await run('limit', id, '--rpm', '1', '--daily-usd', '1000000000')
    for (const value of ['a b', 'ü', 'x'.repeat(256), ''])
      await fails(/--operation/, 'topup', id, '1', '--operation', value)
    await run('topup', id, '1', '--operation', 'x'.repeat(255), '--note', 'n'.repeat(200))
    await fails(/--note.*200/, 'topup', id, '1', '--note', 'n'.repeat(201))
    await fails(/.+/, 'list', '--unheard-of')
  })

  it('revokes a key', async () => {
    const { id } = await make()
    assert.match(await run('revoke', id), /revoked/)
    assert.ok((await accounts.ledger.read(id))?.revokedAt)
  })

  it('rejects unknown keys', async () => {
    await fails(/no key key_0;/, 'revoke', 'key_0')
    await fails(/without an id/, 'revoke')
  })

  it('has no limits for callers without a key', async () => {
    for (const verb of ['limit', 'revoke', 'topup'])
      await fails(/Callers without a key/, verb, 'anonymous', '1')
    assert.equal(await run('ledger', 'anonymous'), '\n')
  })

  it('prints the movements of an account, one per line', async () => {
    const { id } = await make('--balance', '5')
    await run('topup', id, '1')
    const lines = (await run('ledger', id))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ kind }) => kind),
      ['topup', 'set'],
    )
  })

  describe('on money on hold', () => {
    const hold = async () => {
      const { id } = await make('--balance', '5')
      const { id: job } = await accounts.accept(id, 2)
      await accounts.fail(job, 'submission_unknown')
      return { id, job }
    }

    it('lists it', async () => {
      const { id, job } = await hold()
      assert.equal(JSON.parse(await run('held', id)).job, job)
      assert.ok((await run('unknown')).split('\n').some((line) => line.includes(`"id":"${job}"`)))
    })

    it('charges or releases it, with the operator’s name', async () => {
      const { id, job } = await hold()
      assert.match(await run('resolve', id, job, 'charge', '--note', 'billed'), /\$2\b/)
      const [entry] = await accounts.ledger.listMovements(id, 1)
      assert.deepEqual([entry?.kind, entry?.by, entry?.note], ['charge', 'command line', 'billed'])
      await run('resolve', id, job, 'charge')
      await fails(/settled before/, 'resolve', id, job, 'release')
      const other = await hold()
      await run('resolve', other.id, other.job, 'release')
      assert.equal(await accounts.ledger.readBalanceUsd(other.id), 5)
    })

    it('charges money on hold of callers without a key, and prints no account', async () => {
      const { id: job } = await accounts.accept('anonymous', 2)
      await accounts.fail(job, 'submission_unknown')
      assert.equal(await run('resolve', 'anonymous', job, 'charge'), '')
      assert.equal(await run('held', 'anonymous'), '\n')
    })

    it('explains an invalid decision', async () => {
      const { id, job } = await hold()
      for (const decision of [[], ['burn'], ['adopt'], ['adopt', '']])
        await fails(/charge, release, or adopt/, 'resolve', id, job, ...decision)
      await fails(/No money is on hold/, 'resolve', id, 'nobody', 'charge')
      await fails(/no upstream/, 'resolve', id, job, 'adopt', 'task-1')
      await fails(/--note/, 'resolve', id, job, 'charge', '--note', 'n'.repeat(201))
      assert.equal((await accounts.holds.of(id)).length, 1)
    })
  })

  it('reports anonymous access if there is no key', async () => {
    const cleanHouse = createTestAccounts((await startRedis(cleanup)).redis, 'empty:')
    const text = await runKeysCommand(
      { ledger: cleanHouse.ledger, holds: cleanHouse.holds, unknownJobs: unknown },
      ['list'],
    )
    assert.match(text, /no keys/)
  })
})
