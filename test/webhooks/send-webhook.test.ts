import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { buildStatusBody } from '../../src/api/nanogpt/status-body.ts'
import type { JobView } from '../../src/jobs/job.ts'
import { createSafeFetch } from '../../src/net/safe-fetch.ts'
import { type BuildStatus, buildMessage, sendWebhook } from '../../src/webhooks/send-webhook.ts'
import { createCleanup } from '../support/setup.ts'
import { startReceiver } from './receiver.ts'

const view: JobView = {
  id: 'vid_1',
  version: 4,
  model: 'veo3-video',
  state: 'succeeded',
  progress: 100,
  createdAt: 1_800_000_000_000,
  completedAt: 1_800_000_060_000,
  videos: [{ url: '/files/a.mp4' }],
  costUsd: 1,
}
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const older = `whsec_${Buffer.alloc(32, 2).toString('base64')}`
const message = { id: 'msg_1', body: '{"a":1}' }

describe('the message of a webhook', () => {
  const baseUrl = 'https://us.example'
  const buildStatus: BuildStatus = (job, options) => buildStatusBody(job, { dialect: 'current', ...options })
  const messageFor = (job: JobView) => buildMessage(job, { baseUrl, buildStatus })

  it('is the status of the job, with links under the base URL of the gateway', () => {
    const { id, body } = messageFor(view)
    assert.equal(id, 'msg_vid_1')
    const { type, timestamp, data } = JSON.parse(body)
    assert.equal(type, 'video.completed')
    assert.equal(timestamp, new Date(1_800_000_060_000).toISOString())
    assert.equal(data.data.output.video.url, 'https://us.example/files/a.mp4')
  })

  it('is the same in every attempt', async () => {
    const first = messageFor(view)
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(messageFor(view), first)
  })

  it('has a type for each terminal state', () => {
    const error = { code: 'upstream_error' as const, message: 'x' }
    assert.equal(JSON.parse(messageFor({ ...view, state: 'failed', error }).body).type, 'video.failed')
    assert.equal(JSON.parse(messageFor({ ...view, state: 'canceled', error }).body).type, 'video.canceled')
  })

  it('has the time of the submit if the job has no completion time', () => {
    const { completedAt: _, ...unfinished } = view
    assert.equal(JSON.parse(messageFor(unfinished).body).timestamp, new Date(view.createdAt).toISOString())
  })

  it('has a new ID when the same job ends again', () => {
    assert.equal(messageFor({ ...view, adoptions: 1 }).id, 'msg_vid_1_2')
    assert.equal(messageFor({ ...view, adoptions: 2 }).id, 'msg_vid_1_3')
  })
})

describe('an attempt to deliver a webhook', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  const guard = createSafeFetch({ allowPrivateNetworks: true })
  cleanup.add(() => guard.close())
  const never = new AbortController().signal
  const deliver = (url: string, stopping = never, request = guard.fetch) =>
    sendWebhook({ safeFetch: request, stopping }, url, message, [secret, older])

  it('is signed with every secret, over the sent bytes', async () => {
    const receiver = await startReceiver(cleanup)
    assert.deepEqual(await deliver(`${receiver.url}/hook`), { kind: 'answered', status: 204 })
    const [received] = receiver.received
    assert.equal(received?.body, message.body)
    assert.equal(received?.headers['content-type'], 'application/json')
    assert.equal(received?.headers['webhook-id'], 'msg_1')
    assert.equal(received?.headers['user-agent'], 'Reelgate')
    const seconds = Number(received?.headers['webhook-timestamp'])
    assert.ok(Number.isInteger(seconds) && Math.abs(seconds - Date.now() / 1000) < 60)
    for (const key of [secret, older]) {
      assert.deepEqual(new Webhook(key).verify(received?.body ?? '', received?.headers ?? {}), { a: 1 })
    }
  })

  it('accepts any status as a reply, and does not follow redirects', async () => {
    const receiver = await startReceiver(cleanup, { '/gone': [410], '/moved': [302] })
    assert.deepEqual(await deliver(`${receiver.url}/gone`), { kind: 'answered', status: 410 })
    assert.equal((await deliver(`${receiver.url}/moved`)).kind, 'unanswered')
    assert.equal(receiver.of('/elsewhere').length, 0)
  })

  it('is rejected for a private address', async () => {
    const strict = createSafeFetch({})
    cleanup.add(() => strict.close())
    const sent = await deliver('http://127.0.0.1:1/', never, strict.fetch)
    assert.equal(sent.kind, 'refused')
    assert.ok(sent.kind === 'refused' && sent.error !== '')
  })

  it('reports why there was no reply', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const address = closed.address()
    const port = typeof address === 'object' ? address?.port : 0
    await new Promise((resolve) => closed.close(resolve))
    assert.deepEqual(await deliver(`http://127.0.0.1:${port}/`), {
      kind: 'unanswered',
      error: 'ECONNREFUSED',
    })
    const failing = async () => {
      throw new Error('out of order')
    }
    assert.deepEqual(await deliver('http://a.example', never, failing), {
      kind: 'unanswered',
      error: 'out of order',
    })
    const timeout = async () => {
      throw new DOMException('', 'TimeoutError')
    }
    const timedOut = await deliver('http://a.example', never, timeout)
    assert.ok(timedOut.kind === 'unanswered' && /15 s/.test(timedOut.error))
    const odd = () => Promise.reject('a text')
    assert.ok(((await deliver('http://a.example', never, odd)) as { error: string }).error !== '')
  })

  it('is a POST that follows no redirect', async () => {
    let options: Record<string, unknown> = {}
    const reply = { statusCode: 204, headers: {}, body: { dump: async () => undefined } }
    const request = async (_: string, given: object) => {
      options = { ...given }
      return reply
    }
    await deliver('https://a.example/', never, request as unknown as typeof guard.fetch)
    assert.deepEqual([options.method, options.body, options.redirects], ['POST', message.body, 0])
  })

  it('has a reply even if the rest of the body is lost', async () => {
    const dump = () => Promise.reject(new Error('cut'))
    const request = async () => ({ statusCode: 200, headers: {}, body: { dump } })
    const sent = await deliver('https://a.example/', never, request as unknown as typeof guard.fetch)
    assert.deepEqual(sent, { kind: 'answered', status: 200 })
  })

  it('ends when the gateway stops', { timeout: 20_000 }, async () => {
    const receiver = await startReceiver(cleanup, { '/hang': ['hang'] })
    const stopping = new AbortController()
    const sending = deliver(`${receiver.url}/hang`, stopping.signal)
    while (receiver.received.length === 0) await new Promise(setImmediate)
    stopping.abort()
    assert.equal((await sending).kind, 'unanswered')
  })
})
