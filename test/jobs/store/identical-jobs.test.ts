import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createCleanup,
  type StatusReply,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
} from '../../support/setup.ts'

/** One upstream only, which lists its tasks without our IDs. */
const model = 'wan-wavespeed-video-edit'
const video = 'https://media.example.com/clip.mp4'
const many = 20

describe('jobs with the same request at an upstream', () => {
  const cleanup = createCleanup()
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let address: string

  before(async () => {
    upstreams = await startUpstreams(cleanup, (await startRedis(cleanup)).redis, 3000)
    const { url } = await startRedis(cleanup)
    const env = {
      ...upstreams.env,
      REDIS_URL: url,
      UPSTREAM_TIMEOUT_SECONDS: '1',
      RECONCILE_SECONDS: '5',
      RESULTS: 'link',
    }
    address = (await startTestGateway(cleanup, env)).address
  })
  after(() => cleanup.run())

  const submitPrompt = async (prompt: string) => (await submit(address, { model, prompt, video })).body.runId
  const ends = (ids: readonly string[]): Promise<StatusReply[]> =>
    Promise.all(ids.map((id) => waitForEnd(address, id)))
  const tasks = async (prompt: string) =>
    (await upstreams.host.tasks('wavespeed')).filter(({ body }) => JSON.stringify(body).includes(prompt))

  it('do not both claim a single task', async () => {
    const prompt = 'the same twice, one of them never taken'
    upstreams.host.injectFault({ provider: 'wavespeed', operation: 'submit', kind: 'reset', times: 1 })
    const never = await submitPrompt(prompt)
    while (upstreams.host.countPending('wavespeed') > 0) await sleep(10)
    const [first, second] = await ends([never, await submitPrompt(prompt)])
    assert.equal(first?.stage, 'failed')
    assert.match(JSON.stringify(first?.error), /Submission status unknown/)
    assert.equal(second?.stage, 'succeeded')
    assert.equal((await tasks(prompt)).length, 1)
  })

  it('each claim their own task when all replies are lost', async () => {
    const prompt = 'the same many times, lost each time'
    upstreams.host.injectFault({ provider: 'wavespeed', operation: 'submit', kind: 'lost', times: many })
    const ended = await ends(await Promise.all(Array.from({ length: many }, () => submitPrompt(prompt))))
    assert.deepEqual(
      ended.map(({ stage }) => stage),
      ended.map(() => 'succeeded'),
    )
    assert.equal((await tasks(prompt)).length, many)
    assert.equal(new Set(ended.map(({ videoUrl }) => videoUrl)).size, many)
  })
})
