import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { providers } from '../../providers/index.ts'
import { readConfig } from '../../src/config/config.ts'
import { fingerprintRequest } from '../../src/jobs/attempt.ts'
import type { Job } from '../../src/jobs/job.ts'
import { createSandboxFetch } from '../../src/media/results/sandbox-fetch.ts'
import { AddressRefused } from '../../src/net/safe-fetch.ts'
import { sandboxOrigin, toSandboxUrl } from '../../src/sandbox/address.ts'
import { createCallbacks } from '../../src/sandbox/callbacks.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { mockUpstreams } from '../../src/sandbox/upstreams/index.ts'
import { createTransport } from '../../src/upstreams/transport.ts'
import { createCleanup, startRedis, startTestGateway, submit, waitForEnd } from '../support/setup.ts'

describe('mock upstreams of several processes', () => {
  const cleanup = createCleanup()
  const { upstreams } = readConfig({}, Object.values(providers))
  let redis: Redis

  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  after(() => cleanup.run())

  /** The sandbox parts of one process. */
  function createProcess(prefix: string) {
    const sandbox = createSandbox({
      mocks: mockUpstreams,
      providers: Object.values(providers),
      upstreams,
      redis,
      prefix,
      renderMs: 0,
    })
    cleanup.add(() => sandbox.close())
    const transport = createTransport({
      timeoutMs: 5000,
      sandbox: { connect: sandbox.connect, toUrl: toSandboxUrl },
    })
    cleanup.add(() => transport.close())
    const fetcher = createSandboxFetch({ connect: sandbox.connect, toUrl: toSandboxUrl })
    cleanup.add(() => fetcher.close())
    const send = async (path: string, json?: Record<string, string>) => {
      const call =
        json === undefined ? { method: 'GET' as const, path } : { method: 'POST' as const, path, json }
      const sent = await transport.send(providers.fal, sandbox.upstreams.fal, call)
      return sent.kind === 'reply' ? sent.reply : assert.fail(JSON.stringify(sent))
    }
    return { send, transport, fetcher, fal: sandbox.upstreams.fal }
  }

  /** Represents any address outside of the sandbox. */
  async function startServer(): Promise<{ url: string; calls: string[] }> {
    const calls: string[] = []
    const server = createServer((request, reply) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        calls.push(body)
        reply.end()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanup.add(() => server.close())
    return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, calls }
  }

  it('a task of one is polled through another, which serves its video under the same link', async () => {
    const [first, second] = [createProcess('shared:'), createProcess('shared:')]
    const made = await first.send('/fal-ai/veo3', { prompt: 'a boat' })
    const { request_id: id } = made.body as { request_id: string }
    const result = (await second.send(`/fal-ai/veo3/requests/${id}`)).body as { video: { url: string } }
    assert.equal(result.video.url, `${sandboxOrigin}/video/${id}.mp4`)
    for (const { fetcher } of [first, second]) {
      const video = await fetcher.fetch(result.video.url)
      assert.equal(video.headers['content-type'], 'video/mp4')
      await video.body.dump()
    }
  })

  it('they reject two submits as busy in total, not per process', async () => {
    const [first, second] = [createProcess('busy:'), createProcess('busy:')]
    const statuses: number[] = []
    for (const { send } of [first, second, first])
      statuses.push((await send('/fal-ai/veo3', { prompt: 'sandbox:busy' })).status)
    assert.deepEqual(statuses, [429, 429, 200])
  })

  it('a callback of a stopped process is sent by another, each once', async () => {
    const { url, calls } = await startServer()
    const task = (id: string) => ({ id, endpoint: '', body: {}, createdAt: 0, hook: url })
    const common = { redis, prefix: 'callbacks:', keepSeconds: 60 }
    // Its own timer is never reached in this test.
    const ended = createCallbacks({ ...common, now: () => Date.now() - 3_600_000 })
    await ended.schedule(task('first'), 600_000)
    const running = createCallbacks({ ...common, now: Date.now })
    await running.schedule(task('second'), 0)
    while (calls.length < 2) await new Promise(setImmediate)
    await running.schedule(task('third'), 0)
    while (calls.length < 3) await new Promise(setImmediate)
    assert.deepEqual(calls.map((body) => JSON.parse(body).id).sort(), ['first', 'second', 'third'])
  })

  it('a call for a sandbox job does not leave the sandbox', async () => {
    const { url, calls } = await startServer()
    const { transport, fal } = createProcess('calls:')
    const sent = await transport.send(providers.fal, fal, { method: 'PUT', path: url })
    assert.equal(sent.kind, 'unsent')
    assert.deepEqual(calls, [])
  })

  it('a result of a sandbox job is not fetched from elsewhere', async () => {
    const { url, calls } = await startServer()
    const { fetcher } = createProcess('links:')
    for (const link of [url, 'file:///etc/passwd', 'no link', `${sandboxOrigin}.example/video/a.mp4`])
      await assert.rejects(fetcher.fetch(link), AddressRefused)
    assert.deepEqual(calls, [])
  })

  it('a process without mock upstreams makes no call', async () => {
    const transport = createTransport({ timeoutMs: 1000 })
    cleanup.add(() => transport.close())
    const { fal } = createProcess('none:')
    const sent = await transport.send(providers.fal, fal, { method: 'GET', path: '/a' })
    assert.equal(sent.kind, 'unsent')
  })

  it('with RESULTS=link clients get links of the gateway, since sandbox links are internal', async () => {
    const env = { SANDBOX: 'on', SANDBOX_RENDER_SECONDS: '0', POLL_MAX_MS: '50', RESULTS: 'link' }
    const { address } = await startTestGateway(cleanup, env)
    const { body } = await submit(address, { model: 'veo3-video', prompt: 'a boat', duration: '8' })
    const end = await waitForEnd(address, body.runId)
    const video = await fetch(end.data.output?.video.url ?? '')
    assert.deepEqual([video.status, video.headers.get('content-type')], [200, 'video/mp4'])
  })
})

it('a sandbox job and a real job are never confused', () => {
  const provider = providers.bytedance
  const [model = '', mapping] =
    Object.entries(provider.models).find(([, { host }]) => host !== 'visual') ?? []
  const job = (sandbox: boolean) =>
    ({ view: { model, ...(sandbox && { sandbox }) }, input: { prompt: 'a boat' } }) as unknown as Job
  const { upstreams } = readConfig({}, Object.values(providers))
  const of = (sandbox: boolean) =>
    fingerprintRequest({ upstreams }, job(sandbox), provider, mapping ?? assert.fail())
  assert.notEqual(of(true), of(false))
  assert.notEqual(of(false), '')
})
