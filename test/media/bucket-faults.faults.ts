import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { type BucketFault, startFaultyBucket } from './faulty-bucket.ts'

const faults: BucketFault[] = ['forbidden', 'missing', 'hanging', 'unreachable']
const jobsPerFault = 3
const startBalanceUsd = 100
/** How long each fault lasts; `STORE_FAULT_SECONDS=600` for a long run. */
const faultMs = Number(process.env.STORE_FAULT_SECONDS ?? 1.5) * 1000

describe('a bucket that fails while results are delivered', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let bucket: Awaited<ReturnType<typeof startFaultyBucket>>
  let address: string
  before(async () => {
    bucket = await startFaultyBucket(cleanup)
    backend = await startBackend(cleanup, { ...bucket.env, POLL_MAX_MS: '50' }, 1000)
    address = (await startTestGateway(cleanup, backend.env)).address
  })
  after(() => cleanup.run())

  async function createKey(): Promise<{ id: string; key: string }> {
    const operator = clientOf(address, operatorKey)
    const made = await operator.request('POST', '/api/admin/keys', {
      name: 'test',
      balanceUsd: startBalanceUsd,
    })
    return made.body as unknown as { id: string; key: string }
  }

  async function isReady(expected: 200 | 503): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      if ((await fetch(`${address}/ready`)).status === expected) return
      await sleep(50)
    }
    assert.fail(`/ready did not return ${expected}`)
  }

  for (const fault of faults) {
    it(`${fault}: the jobs wait and succeed, purchased and charged once`, async () => {
      await isReady(200)
      const { id, key } = await createKey()
      const client = clientOf(address, key)
      const prompt = `a boat, ${fault}`
      const before = await backend.upstreams.host.tasks('fal')
      const submitted = await Promise.all(
        Array.from({ length: jobsPerFault }, () => client.submit({ model: 'minimax-video', prompt })),
      )
      assert.deepEqual(
        submitted.map(({ status }) => status),
        Array(jobsPerFault).fill(202),
      )
      const ids = submitted.map(({ body }) => body.runId)
      bucket.fail(fault)
      await isReady(503)
      const refused = await client.submit()
      assert.deepEqual([refused.status, refused.body.code], [503, 'service_unavailable'])
      assert.doesNotMatch(JSON.stringify(refused.body), /bucket|S3|media/)
      for (const runId of ids) await client.waitFor(runId, /^delivering$/)
      await sleep(faultMs)
      for (const runId of ids) assert.equal((await client.waitFor(runId, /./)).stage, 'delivering')

      const work = JSON.parse((await backend.redis.hget(backend.keys.job(ids[0] ?? ''), 'work')) ?? '{}')
      assert.match(work.storeFault.store, /bucket media/)
      assert.equal(work.misses, 0)
      const history = await backend.redis.lrange(backend.keys.history(ids[0] ?? ''), 0, -1)
      assert.match(history.join('\n'), /"reason":"storage: Cannot .* bucket media/)

      bucket.fail('none')
      for (const runId of ids) assert.equal((await client.waitForEnd(runId)).stage, 'succeeded')
      const tasks = (await backend.upstreams.host.tasks('fal')).length - before.length
      assert.equal(tasks, jobsPerFault)
      const account = await backend.ledger.read(id)
      assert.deepEqual(
        [account?.balanceUsd, account?.reservedUsd, account?.heldUsd, account?.spentUsd],
        [startBalanceUsd - jobsPerFault * 0.5, 0, 0, jobsPerFault * 0.5],
      )
    })
  }
})
