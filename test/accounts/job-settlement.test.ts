import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Ledger } from '../../src/accounts/ledger.ts'
import { decideSettlement, finalCostUsd } from '../../src/jobs/store/settlement.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { assertLedgersAddUp, cheapJob, clientOf, operatorKey, startBackend } from './test-accounts.ts'

const view = { id: 'vid_1', version: 1, model: 'm', progress: 0, createdAt: 0, costUsd: 3 } as const
const work = { route: [], deadlineAt: 0, refusals: 0, misses: 0, polls: 0 }

describe('the settlement of a job', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let ledger: Ledger
  let address: string

  before(async () => {
    backend = await startBackend(cleanup)
    ledger = backend.ledger
    address = (await startTestGateway(cleanup, backend.env)).address
  })
  after(() => cleanup.run())

  async function createClient(limits: Parameters<Ledger['createAccount']>[0]) {
    const { key, account } = await ledger.createAccount(limits)
    return { id: account.id, client: clientOf(address, key) }
  }

  it('a success is charged, and every API reports the same amount', async () => {
    const { id, client } = await createClient({ name: 'success', balanceUsd: 2 })
    const submitted = await client.submit()
    assert.deepEqual(
      [submitted.body.cost, submitted.body.remainingBalance, submitted.body.paymentSource],
      [0.5, 1.5, 'USD'],
    )
    assert.equal((await client.waitForEnd(submitted.body.runId)).cost, 0.5)
    const balance = await client.request('POST', '/api/check-balance')
    assert.equal(balance.body.usd_balance, '1.50000000')
    assert.deepEqual(
      (await ledger.listMovements(id, 10)).map(({ kind }) => kind),
      ['charge', 'reserve', 'set'],
    )
    const usage = await client.request('GET', '/api/usage')
    assert.deepEqual(usage.body.total, { jobs: 1, usd: 0.5 })
  })

  it('a rejected job is fully refunded', async () => {
    const { id, client } = await createClient({ name: 'refusal', balanceUsd: 2 })
    const { body } = await client.submit({ ...cheapJob, prompt: 'sandbox:refuse' })
    await client.waitForEnd(body.runId)
    const account = await ledger.read(id)
    assert.deepEqual([account?.balanceUsd, account?.reservedUsd, account?.spentUsd], [2, 0, 0])
  })

  it('the money of an unknown submission is on hold until the operator decides', async () => {
    const { id, client } = await createClient({ name: 'unknown', balanceUsd: 2 })
    const jobs = await Promise.all([1, 2].map(() => client.submit({ ...cheapJob, prompt: 'sandbox:lost' })))
    const [first = '', second = ''] = jobs.map(({ body }) => body.runId)
    for (const job of [first, second]) await client.waitForEnd(job)
    const account = await ledger.read(id)
    assert.deepEqual([account?.balanceUsd, account?.reservedUsd, account?.heldUsd], [1, 0, 1])

    const operator = clientOf(address, operatorKey)
    const decide = (job: string, decision: string) =>
      operator.request('POST', `/api/admin/keys/${id}/held/${job}`, { decision })
    const charged = await decide(first, 'charge')
    assert.deepEqual([charged.body.balanceUsd, charged.body.heldUsd, charged.body.spentUsd], [1, 0.5, 0.5])
    const released = await decide(second, 'release')
    assert.deepEqual([released.body.balanceUsd, released.body.heldUsd], [1.5, 0])
    assert.equal((await decide(second, 'release')).status, 200)
    assert.equal((await decide(second, 'charge')).status, 409)
    await assertLedgersAddUp(ledger)
  })

  it('a price by length is settled to the actual length', async () => {
    const { id, client } = await createClient({ name: 'length', balanceUsd: 5 })
    const unmeasured = await client.submit({
      model: 'video-upscaler',
      videoUrl: 'https://files.example/a.mp4',
    })
    assert.equal(unmeasured.body.cost, 3)
    assert.match(String(unmeasured.body.warnings), /videoDuration.* was not given/)
    const end = await client.waitForEnd(unmeasured.body.runId)
    assert.equal(end.stage, 'succeeded')
    assert.equal(end.cost, 0.025)
    assert.equal((await ledger.read(id))?.balanceUsd, 4.975)
  })

  it('the daily limit rejects submits until the next day', async () => {
    const { client } = await createClient({ name: 'daily', dailyUsd: 0.9 })
    const accepted = await client.submit()
    assert.equal(accepted.status, 202)
    const refused = await client.submit()
    assert.equal(refused.status, 429)
    assert.equal(refused.body.code, 'daily_usd_limit_exceeded')
    assert.match(refused.headers.get('retry-after') ?? '', /^\d{1,5}$/)
    await client.waitForEnd(accepted.body.runId)
  })

  it('a job does not refund a balance limit that was removed while it ran', async () => {
    const { id, client } = await createClient({ name: 'lifted', balanceUsd: 1 })
    const { body } = await client.submit({ ...cheapJob, prompt: 'sandbox:fail' })
    await ledger.setLimits(id, { balanceUsd: null })
    await client.waitForEnd(body.runId)
    assert.equal((await ledger.read(id))?.balanceUsd, undefined)
    await ledger.topUp(id, 3)
    assert.equal((await ledger.read(id))?.balanceUsd, 3)
    await assertLedgersAddUp(ledger)
  })

  it('a price preview returns the price and stores nothing', async () => {
    const { id, client } = await createClient({ name: 'preview', balanceUsd: 1 })
    const preview = await client.request('POST', '/api/price', {
      ...cheapJob,
      model: 'sora-2',
      seconds: '12',
    })
    assert.deepEqual(preview.body, { model: 'sora-2', usd: 1.2, seconds: 12, warnings: [] })
    assert.equal((await client.request('POST', '/api/price', { model: 'sora-2' })).status, 400)
    assert.deepEqual(
      (await ledger.listMovements(id, 9)).map(({ kind }) => kind),
      ['set'],
    )
  })
})

describe('a markup', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('is included once in the model list, the preview and the charge', async () => {
    const { ledger, env } = await startBackend(cleanup, { MARKUP_PERCENT: '15' })
    const { address } = await startTestGateway(cleanup, env)
    const { key, account } = await ledger.createAccount({ name: 'marked', balanceUsd: 1 })
    const client = clientOf(address, key)
    const list = await client.request('GET', '/api/v1/video-models')
    const models = list.body.data as { id: string; pricing: { per_video: number } }[]
    assert.equal(models.find(({ id }) => id === cheapJob.model)?.pricing.per_video, 0.575)
    assert.equal((await client.request('POST', '/api/price', cheapJob)).body.usd, 0.575)
    const { body } = await client.submit()
    assert.equal(body.cost, 0.575)
    assert.equal((await client.waitForEnd(body.runId)).cost, 0.575)
    assert.equal((await ledger.read(account.id))?.balanceUsd, 0.425)
  })
})

describe('who pays for an unfinished render', () => {
  const canceled = { ...view, state: 'canceled' as const, error: { code: 'canceled' as const, message: '' } }

  it('nobody, if no upstream had accepted the job', () => {
    assert.equal(decideSettlement('pending', canceled, work).kind, 'release')
  })

  it('nobody, if it was still queued at the upstream and was canceled there', () => {
    assert.equal(
      decideSettlement('queued', canceled, { ...work, takenAt: 1, cancelSentAt: 2 }).kind,
      'release',
    )
  })

  it('the client, if it was rendering or could not be canceled', () => {
    assert.equal(
      decideSettlement('processing', canceled, { ...work, takenAt: 1, cancelSentAt: 2 }).kind,
      'charge',
    )
    assert.equal(decideSettlement('queued', canceled, { ...work, takenAt: 1 }).kind, 'charge')
    assert.equal(decideSettlement('queued', canceled, { ...work, takenAt: 1 }, true).kind, 'release')
  })
})

describe('the final cost', () => {
  const meter = { usdPerSecond: 0.01, markupPercent: 10, minimumSeconds: 5, stepSeconds: 1, usualSeconds: 8 }
  const cost = (seconds: number | undefined, more = {}) =>
    finalCostUsd({ view: { ...view, state: 'delivering' }, work: { ...work, meter, ...more } }, seconds)

  it('follows the actual length, with the markup', () => {
    assert.equal(cost(20.1), 0.22)
    assert.equal(cost(2), 0.055)
    assert.equal(cost(undefined), 0.088)
  })

  it('is never more than was reserved', () => {
    assert.equal(cost(10_000), 3)
  })

  it('is the cost that the upstream reports, if it reports one', () => {
    assert.equal(cost(20, { upstreamCostUsd: 0.5 }), 0.55)
  })

  it('does not change if the price does not depend on the length', () => {
    assert.equal(finalCostUsd({ view: { ...view, state: 'delivering' }, work }, 20), 3)
  })
})
