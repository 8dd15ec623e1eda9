import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataUrl, png } from '../media/files.ts'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
} from '../support/setup.ts'

const image = dataUrl('image/png', png({ padding: 400_000 }))

describe('slow uploads', () => {
  const cleanup = createCleanup()
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let address: string

  before(async () => {
    upstreams = await startUpstreams(cleanup, (await startRedis(cleanup)).redis)
    const env = {
      ...upstreams.env,
      REDIS_URL: (await startRedis(cleanup)).url,
      STEP_CONCURRENCY: '4',
      UPSTREAM_TIMEOUT_SECONDS: '6',
      RESULTS: 'link',
    }
    address = (await startTestGateway(cleanup, env)).address
  })
  after(() => cleanup.run())

  it('leave slots for the other jobs of the same upstream', async () => {
    upstreams.host.injectFault({ provider: 'fal', operation: 'upload', kind: 'hang', times: 8 })
    const body = { model: 'hunyuan-video-image-to-video', prompt: 'it moves', imageDataUrl: image }
    const slow = await Promise.all(Array.from({ length: 8 }, () => submit(address, body)))
    assert.deepEqual([...new Set(slow.map(({ status }) => status))], [202])
    while (upstreams.host.countPending('fal') === 8) await sleep(10)
    const { body: quick } = await submit(address, { model: 'kling-video', prompt: 'a boat' })
    const end = await waitForEnd(address, quick.runId)
    assert.equal(end.data.status, 'COMPLETED')
    assert.ok(upstreams.host.countPending('fal') > 0, 'the uploads were over by then')
    await Promise.all(
      slow.map(({ body: { runId } }) =>
        fetch(`${address}/api/generate-video/cancel?runId=${runId}`, { method: 'POST' }),
      ),
    )
    upstreams.host.clearFaults('fal')
  })
})
