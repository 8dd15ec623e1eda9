import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { providers } from '../../providers/index.ts'
import { runKeysCommand } from '../../src/cli/keys-command.ts'
import { readConfig } from '../../src/config/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { clientOf, createTestLedger, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { environment, startProcess, stopProcess } from '../support/gateway-process.ts'
import { createCleanup, quiet, startRedis, startTestGateway, temporaryFolder } from '../support/setup.ts'

/** Changes of accounts are published over Redis. */
async function soon(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await holds()) return
    await sleep(10)
  }
  assert.fail('it did not come about within a second')
}

describe('access', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let addresses: string[]
  const balanceOf = async (address: string, key?: string) =>
    (await clientOf(address, key).request('POST', '/api/check-balance')).status

  before(async () => {
    backend = await startBackend(cleanup, { ROLE: 'api' })
    const gateways = [
      await startTestGateway(cleanup, backend.env),
      await startTestGateway(cleanup, backend.env),
    ]
    addresses = gateways.map(({ address }) => address)
  })
  after(() => cleanup.run())

  it('is anonymous until the first key is created, then requires a key in every process', async () => {
    for (const address of addresses) {
      assert.equal(await balanceOf(address), 200)
      assert.equal(await balanceOf(address, 'anything'), 200)
    }
    const { key, account } = await backend.ledger.createAccount({ name: 'first' })
    for (const address of addresses) {
      await soon(async () => (await balanceOf(address)) === 401)
      assert.equal(await balanceOf(address, 'anything'), 401)
      assert.equal(await balanceOf(address, key), 200)
    }
    await backend.ledger.revokeAccount(account.id)
    for (const address of addresses) {
      await soon(async () => (await balanceOf(address, key)) === 401)
      assert.equal(await balanceOf(address), 401)
    }
  })

  it('rejects a revoked key at once, whatever a process has cached', async () => {
    const { key, account } = await backend.ledger.createAccount({ name: 'hasty' })
    const [address = ''] = addresses
    await soon(async () => (await balanceOf(address, key)) === 200)
    await backend.redis.hset(backend.keys.account(account.id), 'revokedAt', '1')
    const refused = await clientOf(address, key).submit()
    assert.equal(refused.status, 401)
    assert.equal(refused.body.code, 'invalid_api_key')
  })

  it('accepts the key in both headers, x-api-key first', async () => {
    const { key } = await backend.ledger.createAccount({ name: 'both' })
    const request = async (headers: Record<string, string>) =>
      (await fetch(`${addresses[0]}/api/check-balance`, { method: 'POST', headers })).status
    await soon(async () => (await request({ 'X-Api-Key': key })) === 200)
    assert.equal(await request({ authorization: `Bearer ${key}` }), 200)
    assert.equal(await request({ 'x-api-key': key, authorization: 'Bearer nonsense' }), 200)
    assert.equal(await request({ 'x-api-key': 'nonsense', authorization: `Bearer ${key}` }), 401)
  })

  it('stores only hashes of keys', async () => {
    const { key } = await backend.ledger.createAccount({ name: 'hashed' })
    assert.match(key, /^sk-reelgate-[\w-]{43}$/)
    for (const name of await backend.redis.keys('*')) {
      const dump = await backend.redis.dumpBuffer(name)
      assert.ok(dump?.includes(key.slice(12)) === false, name)
    }
  })

  it('requires a key on a public address, unless the operator turns it off', async () => {
    const fresh = { ...backend.env, REDIS_PREFIX: 'fresh:', HOST: '0.0.0.0', ROLE: 'api', PORT: '0' }
    const start = (env: Record<string, string>) =>
      startGateway(readConfig(env, Object.values(providers)), quiet)
    const guarded = await start(fresh)
    cleanup.add(() => guarded.stop())
    const local = guarded.address.replace('0.0.0.0', '127.0.0.1')
    assert.equal(await balanceOf(local), 401)
    const off = await start({ ...fresh, ADMIN_KEY: '', AUTH: 'off' })
    cleanup.add(() => off.stop())
    assert.equal(await balanceOf(off.address.replace('0.0.0.0', '127.0.0.1')), 200)
  })

  it('rejects an admin key that could be guessed', () => {
    const read = () => readConfig({ ADMIN_KEY: 'short' }, Object.values(providers))
    assert.throws(read, /ADMIN_KEY must have at least 16 characters/)
  })

  it('is administered over HTTP', async () => {
    const [address = ''] = addresses
    const operator = clientOf(address, operatorKey)
    const made = await operator.request('POST', '/api/admin/keys', { name: 'team', rpm: 7, balanceUsd: 3 })
    assert.equal(made.status, 201)
    const path = `/api/admin/keys/${made.body.id}`
    const shown = await operator.request('GET', path)
    assert.equal(shown.body.key, undefined)
    const { key, ...rest } = made.body
    assert.deepEqual(shown.body, rest)
    const changed = await operator.request('PATCH', path, { rpm: null, dailyUsd: 4, topUpUsd: 2 })
    assert.deepEqual([changed.body.rpm, changed.body.dailyUsd, changed.body.balanceUsd], [undefined, 4, 5])
    assert.equal((await operator.request('PATCH', path, { balance: 4 })).status, 400)
    assert.equal((await operator.request('GET', '/api/admin/keys/key_none')).status, 404)
    assert.equal((await operator.request('DELETE', path)).status, 200)
    await soon(async () => (await balanceOf(address, String(key))) === 401)
    assert.equal((await operator.request('GET', `/api/admin/usage?key=${made.body.id}`)).status, 200)
  })
})

describe('npm run keys', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  const run = promisify(execFile)

  it('works with and without a running gateway on its embedded Redis', async () => {
    const env = { DATA_DIR: await temporaryFolder(cleanup) }
    const keys = async (...args: string[]) =>
      (
        await run(process.execPath, ['src/cli/keys.ts', ...args], {
          env: environment(env),
        })
      ).stdout
    assert.match(await keys('list'), /no keys/)

    const gateway = await startProcess(env)
    cleanup.add(() => stopProcess(gateway))
    const made = await keys('create', '--name', 'shell', '--rpm', '2', '--balance', '1')
    const [key = ''] = made.split('\n')
    const client = clientOf(gateway.address, key)
    await soon(
      async () => (await client.request('POST', '/api/check-balance')).body.usd_balance === '1.00000000',
    )
    const id = /key_\w+/.exec(made)?.[0] ?? ''
    assert.match(await keys('revoke', id), /shell .* revoked/)
    await soon(async () => (await client.request('POST', '/api/check-balance')).status === 401)
  })
})

describe('the commands of the operator', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('do what the documentation says', async () => {
    const { redis } = await startRedis(cleanup)
    const money = createTestLedger({ redis, keys: createKeys('test:') })
    const keys = (...args: string[]) => runKeysCommand(money, args)
    const id = /key_\w+/.exec(await keys('create', '--name', 'typed', '--balance', '1'))?.[0] ?? ''
    assert.match(await keys('topup', id, '2.5'), /\$3\.5/)
    assert.match(await keys('limit', id, '--daily-usd', '9', '--rpm', '7'), / 7 +\$9 +\$3\.5/)
    assert.match(await keys('limit', id, '--rpm', 'none', '--balance', 'none'), /default +\$9 +unlimited/)
    assert.match(await keys('ledger', id), /"kind":"lift".*\n.*"kind":"topup"/)
    assert.equal(await keys('held', id), '\n')
    assert.match(await keys(), /npm run keys -- create/)
    await assert.rejects(keys('topup', id, 'much'), /must be a number/)
    await assert.rejects(keys('topup', id, '-1'), /no balance that could be reduced/)
    await assert.rejects(keys('limit', id, '--rpm', '0.5'), /whole number/)
    await assert.rejects(keys('create'), /needs a name/)
    await assert.rejects(keys('create', '--rmp', '3'), /Unknown option/)
    await assert.rejects(keys('limit', 'key_none', '--rpm', '3'), /There is no key key_none/)
    await assert.rejects(keys('resolve', id, 'vid_1', 'charge'), /No money is on hold for the job vid_1/)
    await assert.rejects(keys('frobnicate', id), /There is no command/)
  })
})
