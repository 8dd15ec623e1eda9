import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { models } from '../../src/catalogue/models/index.ts'
import { clientBodies } from '../catalogue/validation/client-bodies.ts'
import { leastRequest } from '../support/least-request.ts'
import { createCleanup, startTestGateway, submit, waitForEnd } from '../support/setup.ts'

describe('request bodies of client programs, for every model in each of its modes', () => {
  const cleanup = createCleanup()
  let address: string

  before(async () => {
    const settings = { SANDBOX: 'on', SANDBOX_RENDER_SECONDS: '0', POLL_MAX_MS: '200', SUBMIT_RPM: '100000' }
    address = (await startTestGateway(cleanup, settings)).address
  })
  after(() => cleanup.run())

  for (const [name, body] of Object.entries(clientBodies)) {
    it(`${name}: every job ends with a video`, async () => {
      const requests = models.flatMap((model) =>
        model.modes.map((mode) => ({ ...leastRequest(model, mode), ...body })),
      )
      const ends = await Promise.all(
        requests.map(async (request) => {
          const reply = await submit(address, request)
          assert.equal(reply.status, 202, JSON.stringify([request, reply.body]))
          const { status, error } = (await waitForEnd(address, reply.body.runId)).data
          return { request, status, error }
        }),
      )
      assert.deepEqual(
        ends.filter(({ status }) => status !== 'COMPLETED'),
        [],
      )
    })
  }
})
