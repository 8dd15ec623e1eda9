import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { models } from '../../src/catalogue/models/index.ts'
import { leastRequest } from '../support/least-request.ts'
import { createCleanup, startTestGateway, submit, waitForEnd } from '../support/setup.ts'

describe('every model on mock upstreams', () => {
  const cleanup = createCleanup()
  let address: string

  before(async () => {
    address = (
      await startTestGateway(cleanup, { SANDBOX: 'on', SANDBOX_RENDER_SECONDS: '1', POLL_MAX_MS: '200' })
    ).address
  })
  after(() => cleanup.run())

  it('concurrent jobs of all models end with playable files', async () => {
    const ends = await Promise.all(
      models.map(async (model) => {
        const reply = await submit(address, leastRequest(model))
        assert.equal(reply.status, 202, `${model.id}: ${JSON.stringify(reply.body)}`)
        const end = await waitForEnd(address, reply.body.runId)
        return {
          model: model.id,
          status: end.data.status,
          error: end.data.error,
          urls: end.data.output?.videos.map(({ url }) => url) ?? [],
        }
      }),
    )
    assert.deepEqual(
      ends.filter(({ status }) => status !== 'COMPLETED'),
      [],
    )
    for (const url of ends.flatMap(({ urls }) => urls)) {
      const file = await fetch(url, { headers: { range: 'bytes=4-7' } })
      assert.equal(file.headers.get('content-type'), 'video/mp4')
      assert.equal(await file.text(), 'ftyp')
    }
    assert.equal(ends.find(({ model }) => model === 'midjourney-video')?.urls.length, 4)
  })
})
