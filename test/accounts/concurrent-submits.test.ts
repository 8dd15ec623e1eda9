import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { assertLedgersAddUp, cheapJob, clientOf, startBackend } from './test-accounts.ts'

describe('500 concurrent submits with a balance for 100', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('100 are accepted, and 30 failures refund exactly their price', async () => {
    const { redis, keys, ledger, env } = await startBackend(cleanup, {
      ROLE: 'api',
      // On a busy machine 100 purchases at once take longer than the default 2 s, and then their result is unknown.
      UPSTREAM_TIMEOUT_SECONDS: '30',
    })
    const { key, account } = await ledger.createAccount({ name: 'racer', balanceUsd: 50 })
    const gateways = [await startTestGateway(cleanup, env), await startTestGateway(cleanup, env)]
    const clients = gateways.map(({ address }) => clientOf(address, key))

    const replies = await Promise.all(
      Array.from({ length: 500 }, (_, at) => (clients[at % 2] ?? clientOf('')).submit()),
    )
    const accepted = replies.filter(({ status }) => status === 202)
    const refused = replies.filter(({ status }) => status === 402)
    assert.deepEqual([accepted.length, refused.length], [100, 400])
    assert.ok(refused.every(({ body }) => body.requiredBalance === 0.5))
    assert.equal(Math.min(...accepted.map(({ body }) => Number(body.remainingBalance))), 0)
    const full = await ledger.read(account.id)
    assert.deepEqual([full?.balanceUsd, full?.reservedUsd, full?.spentUsd], [0, 50, 0])
    await assertLedgersAddUp(ledger)

    const doomed = JSON.stringify({ ...cheapJob, model: undefined, prompt: 'sandbox:fail' })
    for (const { body } of accepted.slice(0, 30)) await redis.hset(keys.job(body.runId), 'input', doomed)
    await startTestGateway(cleanup, { ...env, ROLE: 'worker' })
    while ((await ledger.read(account.id))?.reservedUsd !== 0) await sleep(100)
    const [client = clientOf('')] = clients
    const ends = await Promise.all(accepted.map(({ body }) => client.waitForEnd(body.runId)))
    assert.equal(ends.filter(({ data }) => data.status === 'FAILED').length, 30)
    const settled = await ledger.read(account.id)
    assert.deepEqual([settled?.balanceUsd, settled?.reservedUsd, settled?.spentUsd], [15, 0, 35])
    await assertLedgersAddUp(ledger)
  })
})
