import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
} from '../support/setup.ts'

const onlyFal = { model: 'kling-video', prompt: 'a boat', duration: '5' }
const several = { model: 'kling-v21-master', prompt: 'a boat', duration: '5' }

describe('an upstream that rejects its key', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let address: string
  before(async () => {
    const store = await startRedis(cleanup)
    redis = store.redis
    upstreams = await startUpstreams(cleanup, (await startRedis(cleanup)).redis, 50)
    address = (
      await startTestGateway(cleanup, {
        ...upstreams.env,
        REDIS_URL: store.url,
        UPSTREAM_RETRY_SECONDS: '300',
      })
    ).address
  })
  after(() => cleanup.run())

  const replyWith = (
    status: number,
    body: unknown,
    { provider = 'fal', operation = 'submit', times = 1 } = {},
  ) => upstreams.host.injectFault({ provider, operation, kind: 'status', status, body, times })
  const reject = (provider: string, operation: string, status: number, times = 1) =>
    replyWith(status, { detail: 'Invalid key: fal-s3cret' }, { provider, operation, times })
  const ready = async () => (await (await fetch(`${address}/ready`)).json()) as { warnings?: string[] }
  const entries = () => redis.keys('reelgate:rejected-key:*')
  /** Processes read the entries again a second later. */
  const untilRead = () => sleep(1050)
  async function makeRetryDue() {
    for (const key of await entries()) await redis.hset(key, 'retryAt', 1)
    await untilRead()
  }
  /** Submits a job and waits for its end. */
  async function run(body: Record<string, unknown>) {
    const { status, body: reply } = await submit(address, body)
    assert.equal(status, 202)
    return { id: reply.runId, stage: (await waitForEnd(address, reply.runId)).stage }
  }
  beforeEach(async () => {
    const remaining = await entries()
    if (remaining.length === 0) return
    await redis.del(remaining)
    await untilRead()
  })

  for (const status of [401, 402, 403]) {
    it(`is not called after a ${status}, and gets one job when a retry is due`, async () => {
      reject('fal', 'submit', status)
      assert.equal((await run(onlyFal)).stage, 'failed')

      const refused = await submit(address, onlyFal)
      assert.equal(refused.status, 503)
      assert.match(JSON.stringify(refused.body), /service_unavailable/)
      assert.doesNotMatch(JSON.stringify(refused.body), /key|credit|FAL/i)
      const { warnings } = await ready()
      assert.match(warnings?.join() ?? '', /FAL: FAL_KEY (is rejected|has no credit)/)
      assert.doesNotMatch(warnings?.join() ?? '', /s3cret/)

      await makeRetryDue()
      const [retry, other] = await Promise.all([submit(address, onlyFal), submit(address, onlyFal)])
      assert.deepEqual([retry.status, other.status].sort(), [202, 503])
      const accepted = retry.status === 202 ? retry : other
      assert.equal((await waitForEnd(address, accepted.body.runId)).stage, 'succeeded')
      assert.deepEqual(await ready(), { status: 'ready' })
      assert.equal((await run(onlyFal)).stage, 'succeeded')
    })
  }

  it('new jobs go to the next upstream without a call to it', async () => {
    const workOf = async (id: string) => JSON.parse((await redis.hget(`reelgate:job:${id}`, 'work')) ?? '{}')
    reject('runware', 'submit', 401)
    assert.equal((await run(several)).stage, 'succeeded')
    reject('runware', 'submit', 401)
    const second = await run(several)
    assert.equal(second.stage, 'succeeded')
    assert.equal(upstreams.host.countPending('runware'), 1)
    upstreams.host.clearFaults('runware')
    const { attempts, attempt } = await workOf(second.id)
    assert.deepEqual([attempts, attempt.provider], [1, 'fal'])

    await makeRetryDue()
    const third = await run(several)
    assert.equal((await workOf(third.id)).attempt.provider, 'runware')
    assert.deepEqual(await entries(), [])
  })

  it('client text that an upstream repeats does not count as a rejected key', async () => {
    const edit = { model: 'wan-wavespeed-video-edit', video: 'https://files.example/desktop-upload.mp4' }
    const prompt = 'A shop without enough balance, customers top up'
    for (const [request, message] of [
      [{ ...edit, prompt: 'a boat' }, `Could not read ${edit.video}`],
      [{ ...edit, prompt }, `prompt: "${prompt}" has no subject`],
      [{ ...edit, prompt }, `prompt: "${prompt.slice(0, 33).toUpperCase()}..." has no subject`],
    ] as const) {
      replyWith(400, { code: 400, message }, { provider: 'wavespeed' })
      assert.equal((await run(request)).stage, 'failed')
      assert.deepEqual(await entries(), [], message)
    }
    replyWith(400, { code: 400, message: 'Insufficient credits. Please top up.' }, { provider: 'wavespeed' })
    assert.equal((await run({ ...edit, prompt: 'a boat' })).stage, 'failed')
    assert.equal((await entries()).length, 1)
  })

  it('a rejected submit does not use up the retry', async () => {
    reject('fal', 'submit', 401)
    await run(onlyFal)
    await makeRetryDue()
    const refused = await submit(address, { ...onlyFal, webhookUrl: 'nowhere' })
    assert.equal(refused.status, 400)
    assert.equal((await run(onlyFal)).stage, 'succeeded')
  })

  for (const [operation, status] of [
    ['poll', 401],
    ['poll', 403],
    ['result', 401],
    ['result', 402],
    ['result', 403],
  ] as const) {
    it(`a ${status} to ${operation} ends no job: it continues when the key is fixed`, async () => {
      reject('fal', operation, status, 3)
      assert.equal((await run(onlyFal)).stage, 'succeeded')
      assert.equal(upstreams.host.countPending('fal'), 0)
    })
  }
})
