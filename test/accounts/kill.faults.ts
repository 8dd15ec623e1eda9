import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProviderName } from '../../providers/provider.ts'
import { endsOf } from '../faults/cluster.ts'
import { report } from '../faults/print-counts.ts'
import { startProcess, stopProcess } from '../support/gateway-process.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { assertLedgersAddUp, cheapJob, clientOf, startBackend } from './test-accounts.ts'

/** How long after the first submits each gateway is killed: while it accepts, purchases, polls, delivers and settles. */
const killedAfterMs = [40, 300, 900]

describe('kill -9 at any moment', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('leaves a balanced ledger', async () => {
    const { ledger, env, redis, keys, upstreams } = await startBackend(cleanup, {
      UPSTREAM_TIMEOUT_SECONDS: '1',
    })
    const { key, account } = await ledger.createAccount({ name: 'killed', balanceUsd: 100 })
    const prompts = ['a boat', 'sandbox:fail', 'sandbox:refuse', 'a hat']
    for (const ms of killedAfterMs) {
      const gateway = await startProcess(env)
      cleanup.add(() => stopProcess(gateway, 'SIGKILL'))
      const client = clientOf(gateway.address, key)
      const jobs = Array.from({ length: 12 }, (_, at) =>
        client
          .submit({ ...cheapJob, prompt: `${prompts[at % prompts.length]} killed-${ms}-${at}-end` })
          .catch(() => undefined),
      )
      await sleep(ms)
      await stopProcess(gateway, 'SIGKILL')
      await Promise.all(jobs)
      await assertLedgersAddUp(ledger)
    }

    const { address } = await startTestGateway(cleanup, env)
    const client = clientOf(address, key)
    const movements = await ledger.listMovements(account.id, 10_000)
    const reserved = movements.filter(({ kind }) => kind === 'reserve')
    assert.notEqual(reserved.length, 0)
    for (const { job = '' } of reserved) await client.waitForEnd(job)
    await assertLedgersAddUp(ledger)
    const end = await ledger.read(account.id)
    assert.equal(end?.reservedUsd, 0)
    assert.equal((end?.balanceUsd ?? 0) + (end?.heldUsd ?? 0) + (end?.spentUsd ?? 0), 100)

    const names = Object.keys(upstreams.host.upstreams) as ProviderName[]
    const tasks = (await Promise.all(names.map((name) => upstreams.host.tasks(name)))).flat()
    const bodies = tasks.map(({ body }) => JSON.stringify(body))
    const made: number[] = []
    let doubleEnds = 0
    for (const { job = '' } of reserved) {
      const { prompt } = JSON.parse((await redis.hget(keys.job(job), 'input')) ?? '{}') as { prompt: string }
      made.push(bodies.filter((body) => body.includes(prompt)).length)
      if ((await endsOf(redis, job)) !== 1) doubleEnds += 1
    }
    const [jobs, most] = [reserved.length, Math.max(...made)]
    report({
      suite: '`kill -9` of the gateway, money',
      faults: 1,
      jobs,
      lost: 0,
      most,
      doubleEnds,
      ledger: 0,
    })
    assert.ok(most <= 1, `a job was purchased ${most} times`)
    assert.equal(doubleEnds, 0)
  })
})
