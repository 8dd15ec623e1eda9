import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toMicros } from '../../src/accounts/money.ts'
import { runKeysCommand } from '../../src/cli/keys-command.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createConnections } from '../../src/redis/connections.ts'
import { createWebhookOutbox } from '../../src/webhooks/outbox.ts'
import { startLossyProxy } from '../redis/lossy-proxy.ts'
import { createCleanup, quiet, startTestGateway } from '../support/setup.ts'
import {
  assertLedgersAddUp,
  cheapJob,
  clientOf,
  createTestLedger,
  operatorKey,
  startBackend,
} from './test-accounts.ts'

describe('a command whose reply is lost is applied once:', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let proxy: Awaited<ReturnType<typeof startLossyProxy>>
  let address: string
  let operator: ReturnType<typeof clientOf>

  before(async () => {
    backend = await startBackend(cleanup, { RECONCILE_SECONDS: '3' })
    proxy = await startLossyProxy(cleanup, backend.env.REDIS_URL)
    address = (await startTestGateway(cleanup, { ...backend.env, REDIS_URL: proxy.url })).address
    operator = clientOf(address, operatorKey)
  })
  after(() => cleanup.run())

  /** Does something while the reply to the command that contains the text is lost. */
  async function losing<T>(text: string, act: () => Promise<T>): Promise<T> {
    const lost = proxy.loseReplyTo(text)
    const [task] = await Promise.all([act(), lost])
    return task
  }

  async function createKey(name: string, balanceUsd = 2) {
    const { key, account } = await backend.ledger.createAccount({ name, balanceUsd })
    return { id: account.id, path: `/api/admin/keys/${account.id}`, client: clientOf(address, key) }
  }

  const kindsOf = async (id: string) => (await backend.ledger.listMovements(id, 99)).map(({ kind }) => kind)

  /** A connection of the gateway's kind, through the proxy. */
  async function connection() {
    const connections = createConnections({ url: proxy.url }, { prefix: 'test:', logger: quiet })
    cleanup.add(() => connections.close())
    return { redis: await connections.forRequests(), keys: backend.keys }
  }

  it('a top-up', async () => {
    const { id, path } = await createKey('topup')
    const topUp = { topUpUsd: 100, note: 'lost top-up' }
    const { status, body } = await losing('lost top-up', () => operator.request('PATCH', path, topUp))
    assert.deepEqual([status, body.balanceUsd], [200, 102])
    assert.deepEqual(await kindsOf(id), ['topup', 'set'])
  })

  it('a top-up from the command line', async () => {
    const { id } = await createKey('typed')
    const money = createTestLedger(await connection())
    await losing('lost typing', () => runKeysCommand(money, ['topup', id, '5', '--note', 'lost typing']))
    assert.deepEqual(await kindsOf(id), ['topup', 'set'])
    assert.equal((await backend.ledger.read(id))?.balanceUsd, 7)
  })

  it('a balance that is set, with a limit', async () => {
    const { id, path } = await createKey('set')
    const change = { balanceUsd: 9, rpm: 77, note: 'lost set' }
    const { body } = await losing('lost set', () => operator.request('PATCH', path, change))
    assert.deepEqual([body.balanceUsd, body.rpm], [9, 77])
    assert.deepEqual(await kindsOf(id), ['set', 'set'])
  })

  it('a balance that is removed', async () => {
    const { id, path } = await createKey('lift')
    const change = { balanceUsd: null, note: 'lost lift' }
    const { body } = await losing('lost lift', () => operator.request('PATCH', path, change))
    assert.equal(body.balanceUsd, undefined)
    assert.deepEqual(await kindsOf(id), ['lift', 'set'])
  })

  it('a new key', async () => {
    const make = () => operator.request('POST', '/api/admin/keys', { name: 'lost key', balanceUsd: 3 })
    const { status, body } = await losing('lost key', make)
    assert.equal(status, 201)
    const named = (await backend.ledger.listAccounts()).filter(({ name }) => name === 'lost key')
    assert.equal(named.length, 1)
    assert.deepEqual(await kindsOf(String(body.id)), ['set'])
    const balance = await clientOf(address, String(body.key)).request('POST', '/api/check-balance')
    assert.equal(balance.body.usd_balance, '3.00000000')
  })

  it('a revocation', async () => {
    const { id, path } = await createKey('revoke')
    const { status } = await losing(`account:${id}`, () => operator.request('DELETE', path))
    assert.equal(status, 200)
    assert.ok((await backend.ledger.read(id))?.revokedAt)
  })

  it('a rotation of the webhook secret: the previous secret still signs', async () => {
    const { id, client } = await createKey('rotation')
    const before = (await client.request('GET', '/api/webhooks/secret')).body.secret
    const rotate = () => client.request('POST', '/api/webhooks/secret')
    const { body } = await losing(`webhook-secret:${id}`, rotate)
    const stored = await backend.redis.hgetall(backend.keys.webhookSecret(id))
    assert.deepEqual([stored.current, stored.previous], [body.secret, before])
  })

  it('a submit: its client has its 202, its upstream one task, its account one reservation', async () => {
    const { id, client } = await createKey('submit')
    const submit = () => client.submit({ ...cheapJob, prompt: 'lost submit' })
    const { status, body } = await losing('lost submit', submit)
    assert.equal(status, 202)
    assert.equal(body.remainingBalance, 1.5)
    assert.equal((await client.waitForEnd(body.runId)).stage, 'succeeded')
    assert.deepEqual(await kindsOf(id), ['charge', 'reserve', 'set'])
    const tasks = await backend.upstreams.host.tasks('fal')
    assert.equal(tasks.filter((task) => JSON.stringify(task.body).includes('lost submit')).length, 1)
  })

  it('a submit with an idempotency key', async () => {
    const { id, client } = await createKey('key')
    const submit = () =>
      client.request(
        'POST',
        '/api/generate-video',
        { ...cheapJob, prompt: 'lost once' },
        { 'idempotency-key': 'k' },
      )
    const { status, body } = await losing('lost once', submit)
    assert.equal(status, 202)
    assert.equal((await submit()).body.runId, body.runId)
    await client.waitForEnd(body.runId)
    assert.deepEqual(await kindsOf(id), ['charge', 'reserve', 'set'])
  })

  it('the end of a job', async () => {
    const { id, client } = await createKey('end')
    const { body } = await losing('"state":"succeeded"', async () => {
      const submitted = await client.submit()
      await client.waitForEnd(submitted.body.runId)
      return submitted
    })
    assert.deepEqual(await kindsOf(id), ['charge', 'reserve', 'set'])
    assert.equal((await client.request('GET', `/api/jobs/${body.runId}`)).body.state, 'succeeded')
  })

  async function loseJob(client: ReturnType<typeof clientOf>, mark: string): Promise<string> {
    const { body } = await client.submit({ ...cheapJob, prompt: `sandbox:lost ${mark}` })
    await client.waitForEnd(body.runId)
    return body.runId
  }

  it('a decision on money on hold', async () => {
    const { id, client } = await createKey('hold')
    const job = await loseJob(client, 'decided')
    const decision = { decision: 'charge', note: 'lost decision' }
    const decide = () => operator.request('POST', `/api/admin/unknown/${job}`, decision)
    const { status, body } = await losing('lost decision', decide)
    assert.deepEqual([status, body.decision], [200, 'charge'])
    assert.deepEqual(await kindsOf(id), ['charge', 'hold', 'reserve', 'set'])
    assert.equal(await backend.redis.hlen(backend.keys.notes(job)), 1)
  })

  it('the adoption of a task', async () => {
    const { id, client } = await createKey('adoption')
    const job = await loseJob(client, 'to be adopted')
    const tasks = await backend.upstreams.host.tasks('fal')
    const ticket = tasks.find((task) => JSON.stringify(task.body).includes('to be adopted'))?.id
    const adopt = () =>
      operator.request('POST', `/api/admin/unknown/${job}`, { ticket, note: 'lost adoption' })
    assert.equal((await losing('lost adoption', adopt)).status, 200)
    await client.waitFor(job, /^succeeded$/)
    assert.deepEqual(await kindsOf(id), ['charge', 'adopt', 'hold', 'reserve', 'set'])
  })

  it('a note on a late result', async () => {
    const { client } = await createKey('late')
    const { body } = await client.submit()
    await client.waitForEnd(body.runId)
    const store = createJobStore({ ...(await connection()), keepMs: 3_600_000 })
    await losing('lost note', () =>
      store.addNote(body.runId, { at: 1, kind: 'late_result', text: 'lost note' }),
    )
    assert.equal((await store.readNotes(body.runId)).length, 1)
  })

  it('an attempt to deliver a webhook', async () => {
    const outbox = createWebhookOutbox({ ...(await connection()), keepMs: 3_600_000 })
    const entry = { at: Date.now(), outcome: 'failed', error: 'lost attempt', nextAt: Date.now() } as const
    await losing('lost attempt', () => outbox.logAttempt('vid_attempt', entry))
    assert.equal((await outbox.log('vid_attempt')).length, 1)
  })

  it('each of thirty corrections in a row', async (t) => {
    const { id, path } = await createKey('thirty', 100)
    let micros = 100_000_000
    for (let count = 0; count < 30; count++) {
      const cents = ((count * 37) % 100) - 41
      micros += cents * 10_000
      const correct = () =>
        operator.request('PATCH', path, { topUpUsd: cents / 100, note: `correction ${count}.` })
      const { body } = await losing(`correction ${count}.`, correct)
      assert.equal(toMicros(Number(body.balanceUsd)), micros)
    }
    const movements = await backend.ledger.listMovements(id, 99)
    assert.equal(movements.length, 31)
    t.diagnostic(`30 operations, 30 lost replies, ${movements.length - 31} differences in the ledger`)
  })

  it('and the ledger balances', () => assertLedgersAddUp(backend.ledger))
})
