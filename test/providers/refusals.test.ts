import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { providers } from '../../providers/index.ts'
import type { Order, Reply } from '../../providers/provider.ts'

const order: Order = {
  jobId: 'vid_1',
  attempt: '00000000-0000-4000-8000-000000000000',
  input: { prompt: 'a boat' },
  at: new Date(0),
  settings: {},
}
const replyOf = (status: number, body: unknown): Reply => ({
  status,
  headers: {},
  body,
  baseUrl: 'http://a.example',
})

for (const provider of Object.values(providers)) {
  describe(`a refusal of a purchase by ${provider.title}`, () => {
    for (const status of [400, 401, 403, 404, 422, 429])
      it(`${status}: certainly no task`, () => {
        for (const body of [{}, 'no', { message: 'no' }])
          assert.equal(provider.accept(replyOf(status, body), order).kind, 'failed')
      })

    for (const status of [408, 500, 502, 503, 504, 599])
      it(`${status}: there may be a task`, () => {
        for (const body of [{}, 'no', { message: 'no' }])
          assert.equal(provider.accept(replyOf(status, body), order).kind, 'unclear')
      })
  })
}
