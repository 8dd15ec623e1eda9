import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runKeysCommand } from '../../src/cli/keys-command.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { assertLedgersAddUp, clientOf, operatorKey, startBackend } from './test-accounts.ts'

describe('an operation with an Idempotency-Key', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let address: string
  let operator: ReturnType<typeof clientOf>

  before(async () => {
    backend = await startBackend(cleanup, { ROLE: 'api' })
    address = (await startTestGateway(cleanup, backend.env)).address
    operator = clientOf(address, operatorKey)
  })
  after(() => cleanup.run())

  async function createKey(name: string, balanceUsd = 2) {
    const { key, account } = await backend.ledger.createAccount({ name, balanceUsd })
    const path = `/api/admin/keys/${account.id}`
    const patch = (body: object, operation?: string) =>
      operator.request('PATCH', path, body, operation === undefined ? {} : { 'idempotency-key': operation })
    return { id: account.id, client: clientOf(address, key), patch }
  }

  it('is applied once, and returns the first result', async () => {
    const { id, patch } = await createKey('once')
    const topUp = { topUpUsd: 10, rpm: 5, note: 'invoice 17' }
    const [first, second] = await Promise.all([patch(topUp, 'invoice-17'), patch(topUp, 'invoice-17')])
    await patch({ topUpUsd: 1 })
    const third = await patch(topUp, 'invoice-17')
    assert.equal(first.body.balanceUsd, 12)
    assert.deepEqual([second.body, third.body], [first.body, first.body])
    const replayed = [first, second, third].filter(
      ({ headers }) => headers.get('idempotent-replayed') === 'true',
    )
    assert.equal(replayed.length, 2)
    const movements = (await backend.ledger.listMovements(id, 9)).map(({ kind, operation, note }) => ({
      kind,
      operation,
      note,
    }))
    assert.deepEqual(movements[1], { kind: 'topup', operation: 'invoice-17', note: 'invoice 17' })
    assert.match(movements[0]?.operation ?? '', /^[\da-f-]{36}$/)
    assert.equal(movements.length, 3)
    const [name = ''] = await backend.redis.keys(`${backend.keys.operation('')}*`)
    const ttl = await backend.redis.pttl(name)
    assert.ok(ttl > 86_000_000 && ttl <= 86_400_000, String(ttl))
  })

  it('is rejected with another request', async () => {
    const { patch } = await createKey('reused')
    const other = await createKey('other')
    await patch({ topUpUsd: 1 }, 'reused')
    for (const again of [patch({ topUpUsd: 2 }, 'reused'), other.patch({ topUpUsd: 1 }, 'reused')]) {
      const { status, body } = await again
      assert.deepEqual([status, body.code], [422, 'idempotency_key_reused'])
    }
    const created = await operator.request(
      'POST',
      '/api/admin/keys',
      { name: 'x' },
      { 'idempotency-key': 'reused' },
    )
    assert.equal(created.status, 422)
    assert.equal((await patch({ topUpUsd: 1 }, 'käse')).status, 400)
  })

  it('works the same on the command line', async () => {
    const { id, patch } = await createKey('typed')
    const typed = () =>
      runKeysCommand(backend, ['topup', id, '3', '--operation', 'pay-3', '--note', 'by hand'])
    assert.match(await typed(), /\$5/)
    assert.match(await typed(), /\$5/)
    assert.equal((await patch({ topUpUsd: 3, note: 'by hand' }, 'pay-3')).body.balanceUsd, 5)
    await assert.rejects(
      runKeysCommand(backend, ['topup', id, '4', '--operation', 'pay-3']),
      /another request/,
    )
    await assert.rejects(
      runKeysCommand(backend, ['topup', id, '4', '--operation', 'a b']),
      /--operation must/,
    )
    await assert.rejects(
      runKeysCommand(backend, ['topup', id, '4', '--note', 'x'.repeat(201)]),
      /at most 200/,
    )
  })

  it('that creates a key creates one, which is not shown again', async () => {
    const make = () =>
      operator.request('POST', '/api/admin/keys', { name: 'made once' }, { 'idempotency-key': 'make' })
    const [one, two] = await Promise.all([make(), make()])
    const [made, refused] = one.status === 201 ? [one, two] : [two, one]
    assert.deepEqual([made.status, refused.status, refused.body.code], [201, 409, 'conflict'])
    assert.match(String(refused.body.message), new RegExp(`created the key ${made.body.id}`))
    assert.equal((await backend.ledger.listAccounts()).filter(({ name }) => name === 'made once').length, 1)
  })

  it('that rotates the secret of webhooks rotates it once', async () => {
    const { client } = await createKey('rotation')
    const rotate = (key: string) =>
      client.request('POST', '/api/webhooks/secret', undefined, { 'idempotency-key': key })
    const first = await rotate('r1')
    assert.deepEqual((await rotate('r1')).body, first.body)
    assert.notDeepEqual((await rotate('r2')).body, first.body)
    const other = (await createKey('other rotation')).client
    const otherReply = await other.request('POST', '/api/webhooks/secret', undefined, {
      'idempotency-key': 'r1',
    })
    assert.notDeepEqual(otherReply.body, first.body)
    assert.equal((await rotate('x'.repeat(256))).status, 400)
  })

  it('may correct a balance downwards, but not below zero, and is all or nothing', async () => {
    const { id, patch } = await createKey('correction')
    assert.equal((await patch({ topUpUsd: -0.5, note: 'typo' })).body.balanceUsd, 1.5)
    const refused = await patch({ topUpUsd: -1.500001, rpm: 9, dailyUsd: 9 }, 'too much')
    assert.deepEqual([refused.status, (refused.body.error as { param: string }).param], [409, 'topUpUsd'])
    assert.match(String(refused.body.message), /balance is 1\.5 USD/)
    const account = await backend.ledger.read(id)
    assert.deepEqual([account?.balanceUsd, account?.rpm, account?.dailyUsd], [1.5, undefined, undefined])
    // A rejected operation does not use its key.
    assert.equal((await patch({ topUpUsd: -1 }, 'too much')).body.balanceUsd, 0.5)
    assert.match(await runKeysCommand(backend, ['topup', id, '-0.5', '--note', 'typed']), /\$0 /)
    assert.equal((await patch({ balanceUsd: 5, topUpUsd: -6 })).status, 409)
    assert.equal((await patch({ balanceUsd: 5, topUpUsd: -5 })).body.balanceUsd, 0)
    await patch({ balanceUsd: null })
    const unlimited = await patch({ topUpUsd: -1 })
    assert.equal(unlimited.status, 409)
    assert.match(String(unlimited.body.message), /no balance/)
    assert.equal((await patch({ topUpUsd: 4 })).body.balanceUsd, 4)
    await assertLedgersAddUp(backend.ledger)
  })

  it('returns an error that explains an invalid key', async () => {
    const { patch } = await createKey('wrong')
    const lonely = await patch({ note: 'about nothing', rpm: 3 })
    assert.deepEqual([lonely.status, (lonely.body.error as { param: string }).param], [400, 'note'])
    assert.match(String((await patch({ topUpUsd: 1, note: 'x'.repeat(201) })).body.message), /note.*200/)
    assert.equal((await patch({ topUpUsd: '5' })).status, 400)
    for (const topUpUsd of [0, 1e-7, -1e-7]) {
      const nothing = await patch({ topUpUsd })
      assert.deepEqual([nothing.status, (nothing.body.error as { param: string }).param], [400, 'topUpUsd'])
    }
    const absent = await operator.request('PATCH', '/api/admin/keys/key_none', { rpm: 3 })
    assert.equal(absent.status, 404)
  })

  it('returns an error for an unknown field and for an invalid body', async () => {
    const { account } = await backend.ledger.createAccount({ name: 'typo' })
    const operator = clientOf(address, operatorKey)
    const path = `/api/admin/keys/${account.id}`
    const unknown = await operator.request('PATCH', path, { topUp: 5 })
    assert.deepEqual([unknown.status, (unknown.body.error as { param: string }).param], [400, 'topUp'])
    assert.match(String(unknown.body.message), /^`topUp` is not a known field$/)
    for (const body of [undefined, [], 'x']) {
      const none = await operator.request('PATCH', path, body)
      assert.equal(none.status, 400)
      assert.match(String(none.body.message), /^The body must be a JSON object$/)
    }
    const nameless = await operator.request('POST', '/api/admin/keys', {})
    assert.match(String(nameless.body.message), /^`name` is required$/)
  })

  it('is published to all processes', async () => {
    const subscriber = backend.redis.duplicate({ enableOfflineQueue: true })
    cleanup.add(() => subscriber.disconnect())
    await subscriber.subscribe(backend.keys.accountChanges)
    const published: string[] = []
    subscriber.on('message', (_, id: string) => published.push(id))
    const { id, patch } = await createKey('published')
    await patch({ rpm: 3 })
    await backend.ledger.revokeAccount(id)
    for (let attempt = 0; attempt < 1000 && published.length < 3; attempt++) await sleep(5)
    assert.deepEqual(published, [id, id, id])
  })

  it('may be sent again after a 503, whether it was applied or not', async () => {
    const { id, patch } = await createKey('outage')
    await backend.redis.client('PAUSE', 3000, 'WRITE')
    const first = await patch({ topUpUsd: 8 }, 'outage')
    assert.deepEqual([first.status, first.headers.get('retry-after')], [503, '1'])
    let again = first
    while (again.status === 503) again = await patch({ topUpUsd: 8 }, 'outage')
    assert.equal(again.body.balanceUsd, 10)
    const kinds = (await backend.ledger.listMovements(id, 9)).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['topup', 'set'])
  })
})
