import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runKeysCommand } from '../../src/cli/keys-command.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { assertLedgersAddUp, cheapJob, clientOf, operatorKey, startBackend } from './test-accounts.ts'

const lost = { ...cheapJob, prompt: 'sandbox:lost' }

describe('money on hold', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let operator: ReturnType<typeof clientOf>
  let address: string

  before(async () => {
    backend = await startBackend(cleanup, { RECONCILE_SECONDS: '3' })
    address = (await startTestGateway(cleanup, backend.env)).address
    operator = clientOf(address, operatorKey)
  })
  after(() => cleanup.run())

  async function createKey(name: string) {
    const { key, account } = await backend.ledger.createAccount({ name, balanceUsd: 2 })
    return { id: account.id, client: clientOf(address, key) }
  }

  /** A job that ended as `submission_unknown`. */
  async function loseJob(client: ReturnType<typeof clientOf>): Promise<string> {
    const { body } = await client.submit(lost)
    await client.waitForEnd(body.runId)
    return body.runId
  }

  const decide = (job: string, body: object) => operator.request('POST', `/api/admin/unknown/${job}`, body)

  async function listed(job: string) {
    const { body } = await operator.request('GET', '/api/admin/unknown')
    return (body.data as Record<string, unknown>[]).find(({ id }) => id === job)
  }

  it('is listed with what an operator needs, even after the record is gone', async () => {
    const { id, client } = await createKey('deleted')
    const job = await loseJob(client)
    const first = await listed(job)
    assert.ok(first)
    const { attempt, attemptAt, since, ...rest } = first
    assert.deepEqual(rest, {
      id: job,
      owner: id,
      model: cheapJob.model,
      costUsd: 0.5,
      code: 'submission_unknown',
      provider: 'fal',
    })
    assert.match(String(attempt), /^[\da-f-]{36}$/)
    assert.ok(Number(attemptAt) > 0 && Number(since) >= Number(attemptAt))

    assert.equal((await client.request('DELETE', `/v1/videos/${job}`)).body.deleted, true)
    assert.deepEqual(await listed(job), first)
    const adopted = await decide(job, { ticket: 'task' })
    assert.equal(adopted.status, 409)
    assert.match(String(adopted.body.message), /can only be charged or released/)

    const released = await decide(job, { decision: 'release', note: 'not in their list' })
    assert.equal(released.status, 200)
    assert.deepEqual(await decide(job, { decision: 'release' }).then(({ body }) => body), released.body)
    const other = await decide(job, { decision: 'charge' })
    assert.equal(other.status, 409)
    assert.match(String(other.body.message), /settled before: release on 20.* by admin API/)
    assert.equal(await listed(job), undefined)
    assert.equal((await backend.ledger.read(id))?.balanceUsd, 2)
    const [movement] = await backend.ledger.listMovements(id, 1)
    assert.deepEqual(
      [movement?.kind, movement?.job, movement?.by, movement?.note],
      ['release', job, 'admin API', 'not in their list'],
    )
    await assertLedgersAddUp(backend.ledger)
  })

  it('is settled by one decision, through the API or the command line', async () => {
    const { id, client } = await createKey('ways')
    const job = await loseJob(client)
    const typed = (decision: string) => runKeysCommand(backend, ['resolve', id, job, decision])
    const ofKey = (decision: string) =>
      operator.request('POST', `/api/admin/keys/${id}/held/${job}`, { decision })
    const settled = await Promise.allSettled([
      typed('charge'),
      ofKey('charge'),
      decide(job, { decision: 'charge' }),
    ])
    assert.ok(settled.every(({ status }) => status === 'fulfilled'))
    assert.equal((await ofKey('charge')).status, 200)
    assert.equal((await ofKey('release')).status, 409)
    await assert.rejects(typed('release'), /settled before: charge/)
    const account = await backend.ledger.read(id)
    assert.deepEqual([account?.balanceUsd, account?.heldUsd, account?.spentUsd], [1.5, 0, 0.5])
    assert.equal(
      (await backend.ledger.listMovements(id, 9)).filter(({ kind }) => kind === 'charge').length,
      1,
    )
    await assertLedgersAddUp(backend.ledger)
  })

  it('counts towards the daily limit until it is released, and stays counted when it is charged', async () => {
    const { key } = await backend.ledger.createAccount({ name: 'daily', dailyUsd: 1.2 })
    const client = clientOf(address, key)
    const [first, second] = [await loseJob(client), await loseJob(client)]
    assert.equal((await client.submit()).status, 429)
    assert.equal((await decide(first, { decision: 'charge' })).status, 200)
    assert.equal((await client.submit()).status, 429)
    assert.equal((await decide(second, { decision: 'release' })).status, 200)
    assert.deepEqual((await client.request('GET', '/api/usage')).body.total, { jobs: 2, usd: 0.5 })
    const { status, body } = await client.submit()
    assert.equal(status, 202)
    await client.waitForEnd(body.runId)
  })

  it('belongs to one key', async () => {
    const { client } = await createKey('mine')
    const other = await createKey('other')
    const job = await loseJob(client)
    const reply = await operator.request('POST', `/api/admin/keys/${other.id}/held/${job}`, {
      decision: 'charge',
    })
    assert.equal(reply.status, 404)
    await assert.rejects(runKeysCommand(backend, ['resolve', other.id, job, 'charge']), /No money is on hold/)
    assert.ok(await listed(job))
  })

  it('of version 0.1 is listed and can be settled', async () => {
    const { id, client } = await createKey('upgraded')
    const jobs = [await loseJob(client), await loseJob(client)]
    for (const job of jobs) {
      const entry = (await backend.redis.hget(backend.keys.moneyOnHold(id), job)) ?? ''
      await backend.redis.hset(backend.keys.moneyOnHold(id), job, entry.replace(/ \{.*$/, ''))
    }
    const [remaining = '', deleted = ''] = jobs
    await client.request('DELETE', `/v1/videos/${deleted}`)
    const { provider, code, owner } = (await listed(remaining)) ?? {}
    assert.deepEqual([provider, code, owner], ['fal', 'submission_unknown', id])
    assert.equal((await listed(deleted))?.costUsd, 0.5)
    for (const job of jobs) assert.equal((await decide(job, { decision: 'release' })).status, 200)
    assert.equal((await backend.ledger.read(id))?.balanceUsd, 2)
  })

  it('returns an error that explains an invalid decision', async () => {
    assert.equal((await decide('vid_0', { decision: 'release' })).status, 404)
    for (const body of [{}, { decision: 'charge', ticket: 'x' }, { decision: 'keep' }, { ticket: '' }]) {
      const { status, body: reply } = await decide('vid_0', body)
      assert.equal(status, 400)
      assert.match(String(reply.message), /decision|ticket/)
    }
    const long = await decide('vid_0', { decision: 'charge', note: 'x'.repeat(201) })
    assert.match(String(long.body.message), /note.*200/)
    await assert.rejects(runKeysCommand(backend, ['resolve', 'anonymous', 'vid_0', 'adopt']), /adopt TASK/)
  })

  describe('and a task that an operator adopts', () => {
    // After eight lost replies in a row the gateway would pause purchases at the upstream.
    beforeEach(async () => {
      const { client } = await createKey('success')
      await client.waitForEnd((await client.submit()).body.runId)
    })

    const taskOf = async (mark: string) => {
      const tasks = await backend.upstreams.host.tasks('fal')
      const task = tasks.find(({ body }) => JSON.stringify(body).includes(mark))
      return task?.id ?? assert.fail('no task')
    }

    it('resumes the job, which ends once', async () => {
      const { id, client } = await createKey('adopted')
      const { body } = await client.submit({ ...cheapJob, prompt: 'sandbox:lost adopted' })
      const job = body.runId
      await client.waitForEnd(job)
      const task = await taskOf('adopted')
      const adopted = await decide(job, { ticket: task, note: 'found in their dashboard' })
      assert.equal(adopted.status, 200)
      assert.deepEqual([adopted.body.decision, adopted.body.ticket], ['adopt', task])
      const again = await decide(job, { ticket: task })
      assert.deepEqual(again.body, adopted.body)
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
      assert.equal((await decide(job, { decision: 'release' })).status, 409)
      assert.equal((await decide(job, { ticket: 'another' })).status, 409)

      const end = await client.waitFor(job, /^succeeded$/)
      assert.equal(end.error, null)
      const account = await backend.ledger.read(id)
      assert.deepEqual(
        [account?.balanceUsd, account?.reservedUsd, account?.heldUsd, account?.spentUsd],
        [1.5, 0, 0, 0.5],
      )
      assert.deepEqual(
        (await backend.ledger.listMovements(id, 9)).map(({ kind }) => kind),
        ['charge', 'adopt', 'hold', 'reserve', 'set'],
      )
      const usage = await client.request('GET', '/api/usage')
      const [row] = usage.body.data as Record<string, unknown>[]
      assert.deepEqual([row?.jobs, row?.succeeded, row?.failed, row?.usd], [1, 1, 0, 0.5])
      const history = await client.request('GET', `/api/jobs/${job}`)
      assert.deepEqual(
        (history.body.notes as { kind: string }[]).map(({ kind }) => kind),
        ['adopt'],
      )
      assert.equal((await backend.upstreams.host.tasks('fal')).filter((one) => one.id === task).length, 1)
      assert.equal(await backend.redis.zscore(backend.keys.open, job), null)
      assert.ok((await backend.redis.pttl(backend.keys.job(job))) > 0)
      await assertLedgersAddUp(backend.ledger)
    })

    it('is rejected when it is the task of another job', async () => {
      const { client } = await createKey('rival')
      const rival = await client.submit({ ...cheapJob, prompt: 'sandbox:lost rival' })
      await client.waitForEnd(rival.body.runId)
      const task = await taskOf('rival')
      assert.equal((await decide(rival.body.runId, { ticket: task })).status, 200)
      const job = await loseJob(client)
      const refused = await decide(job, { ticket: task })
      assert.equal(refused.status, 409)
      assert.match(String(refused.body.message), new RegExp(`belongs to the job ${rival.body.runId}`))
      assert.equal((await listed(job))?.owner, (await listed(job))?.owner ?? assert.fail())
      assert.equal((await decide(job, { decision: 'release' })).status, 200)
      await client.waitForEnd(rival.body.runId)
    })

    it('can be adopted from the command line, also for a job with a requested cancel', async () => {
      const { id, client } = await createKey('typed')
      const { body } = await client.submit({ ...cheapJob, prompt: 'sandbox:lost typed' })
      await client.waitForEnd(body.runId)
      await backend.redis.hset(backend.keys.job(body.runId), 'cancel', '1')
      await runKeysCommand(backend, [
        'resolve',
        id,
        body.runId,
        'adopt',
        await taskOf('typed'),
        '--note',
        'seen',
      ])
      await client.waitFor(body.runId, /^succeeded$/)
      const notes = (await backend.ledger.listMovements(id, 9)).filter(({ kind }) => kind === 'adopt')
      assert.deepEqual(
        notes.map(({ by, note }) => [by, note]),
        [['command line', 'seen']],
      )
    })

    it('may be the wrong task: the job then ends with the state that its upstream reports', async () => {
      const { id, client } = await createKey('wrong')
      const job = await loseJob(client)
      assert.equal((await decide(job, { ticket: 'no-such-task' })).status, 200)
      await client.waitFor(job, /^(queued|processing|generating)$/)
      await client.request('DELETE', `/api/jobs/${job}`)
      await client.waitFor(job, /^canceled$/)
      while ((await backend.ledger.read(id))?.reservedUsd !== 0) await sleep(20)
      await assertLedgersAddUp(backend.ledger)
    })
  })
})

describe('money on hold of callers without a key', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('is listed and can be settled', async () => {
    const backend = await startBackend(cleanup, { RECONCILE_SECONDS: '3', AUTH: 'off' })
    const { address } = await startTestGateway(cleanup, backend.env)
    const client = clientOf(address)
    const { body } = await client.submit(lost)
    await client.waitForEnd(body.runId)
    await client.request('DELETE', `/v1/videos/${body.runId}`)
    const operator = clientOf(address, operatorKey)
    const list = async () =>
      (await operator.request('GET', '/api/admin/unknown')).body.data as { owner: string }[]
    assert.deepEqual(
      (await list()).map(({ owner }) => owner),
      ['anonymous'],
    )
    assert.match(await runKeysCommand(backend, ['unknown']), new RegExp(body.runId))
    assert.equal(await runKeysCommand(backend, ['resolve', 'anonymous', body.runId, 'charge']), '')
    assert.deepEqual(await list(), [])
    const ledger = await operator.request('GET', '/api/admin/keys/anonymous/ledger')
    const [movement] = ledger.body.data as { kind: string; by: string; spentUsd: number }[]
    assert.deepEqual([movement?.kind, movement?.by, movement?.spentUsd], ['charge', 'command line', 0.5])
  })
})
