import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { type Cleanup, createCleanup, startTestGateway, temporaryFolder } from '../support/setup.ts'
import { dataUrl, png } from './files.ts'
import { createSmallDisk, limitFiles, type SmallDisk } from './full-disk.ts'

const disks: Record<string, (cleanup: Cleanup) => Promise<SmallDisk>> = {
  'a small disk': createSmallDisk,
  'a limit on files': async (cleanup) => limitFiles(cleanup, await temporaryFolder(cleanup)),
}

describe('a full disk while results are delivered', () => {
  for (const [name, create] of Object.entries(disks)) {
    it(`${name}: the job waits and succeeds, purchased and charged once`, async (t) => {
      const cleanup = createCleanup()
      t.after(() => cleanup.run())
      const disk = await create(cleanup)
      const changes = {
        DATA_DIR: disk.dataDir,
        DISK_FREE_FLOOR_MB: '0',
        STORE_PROBE_SECONDS: '1',
        POLL_MAX_MS: '50',
      }
      const { redis, keys, ledger, upstreams, env } = await startBackend(cleanup, changes, 500)
      const { address } = await startTestGateway(cleanup, env)
      const operator = clientOf(address, operatorKey)
      const { body } = await operator.request('POST', '/api/admin/keys', { name: 'test', balanceUsd: 10 })
      const client = clientOf(address, String(body.key))
      const { runId } = (await client.submit()).body

      // Purchased by then: without its journal, an attempt would not be made.
      await client.waitFor(runId, /^(queued|processing|generating)$/)
      await disk.fill()
      await client.waitFor(runId, /^delivering$/)
      // Longer than the 20 attempts that ended a job once.
      await sleep(2000)
      assert.equal((await client.waitFor(runId, /./)).stage, 'delivering')
      const work = JSON.parse((await redis.hget(keys.job(runId), 'work')) ?? '{}')
      assert.match(work.storeFault.store, /^Cannot .*: (ENOSPC|EFBIG)$/)
      const refused = await client.submit()
      assert.ok(refused.status === 507 || refused.status === 503)
      const ready = await fetch(`${address}/ready`)
      assert.equal(ready.status, 503)

      await disk.free()
      assert.equal((await client.waitForEnd(runId)).stage, 'succeeded')
      assert.equal((await upstreams.host.tasks('fal')).length, 1)
      const account = await ledger.read(String((body as { id?: string }).id))
      assert.deepEqual([account?.balanceUsd, account?.reservedUsd, account?.spentUsd], [9.5, 0, 0.5])
      assert.deepEqual(await readdir(join(disk.dataDir, 'scratch')), [])
    })
  }
})

describe('too little free disk space', () => {
  it('submits return 507, /ready 503, nothing is stored, and results wait', async (t) => {
    const cleanup = createCleanup()
    t.after(() => cleanup.run())
    const changes = { DISK_FREE_FLOOR_MB: '1000000', STORE_PROBE_SECONDS: '1' }
    const { env } = await startBackend(cleanup, changes)
    const { address } = await startTestGateway(cleanup, env)
    const client = clientOf(address)
    const plain = await client.submit()
    assert.deepEqual([plain.status, plain.body.code], [507, 'insufficient_storage'])
    const image = dataUrl('image/png', png({ padding: 300_000 }))
    const withFile = await client.submit({ model: 'midjourney-video', prompt: 'it moves', image })
    assert.deepEqual([withFile.status, withFile.body.code], [507, 'insufficient_storage'])
    const form = new FormData()
    form.append('file', new Blob([png()]), 'a.png')
    const added = await fetch(`${address}/api/library`, { method: 'POST', body: form })
    assert.equal(added.status, 507)
    const ready = await fetch(`${address}/ready`)
    assert.deepEqual(
      [ready.status, ((await ready.json()) as { message: string }).message],
      [503, 'The disk is full'],
    )
    assert.deepEqual(await readdir(join(env.DATA_DIR, 'files')).catch(() => []), [])
    assert.deepEqual(await readdir(join(env.DATA_DIR, 'scratch')), [])
  })
})
