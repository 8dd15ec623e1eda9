import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { fault } from '../../providers/faults.ts'
import { providers } from '../../providers/index.ts'
import { readConfig } from '../../src/config/config.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createRejectedKeys } from '../../src/upstreams/rejected-keys.ts'
import {
  createCleanup,
  quiet,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  temporaryFolder,
  waitForEnd,
  waitForStage,
} from '../support/setup.ts'

const keys = createKeys('reelgate:')
const veo = { model: 'veo3-video', prompt: 'a boat', duration: '8' }
const sandbox = { SANDBOX: 'on', SANDBOX_RENDER_SECONDS: '1', POLL_MAX_MS: '50' }

/** Replaces every real upstream, and counts the calls. */
async function startCounter(cleanup: ReturnType<typeof createCleanup>) {
  const calls: string[] = []
  const server = createServer((request, reply) => {
    calls.push(`${request.method} ${request.url}`)
    reply.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.add(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env: Record<string, string> = { ...sandbox, SANDBOX: 'off' }
  for (const { hosts } of Object.values(providers))
    for (const { baseUrlVariable, credentials } of Object.values(hosts)) {
      env[baseUrlVariable] = origin
      for (const name of credentials) env[name] = 'a-key-of-the-test'
    }
  return { calls, env }
}

async function setUp(t: TestContext) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const { url, redis } = await startRedis(cleanup)
  const common = { REDIS_URL: url, DATA_DIR: await temporaryFolder(cleanup) }
  const start = (env: Record<string, string>) => startTestGateway(cleanup, { ...common, ...env })
  const work = async (id: string) => JSON.parse((await redis.hget(keys.job(id), 'work')) ?? '{}')
  return { cleanup, redis, start, work }
}

describe('a sandbox job in a process with keys', () => {
  for (const stage of ['queued', 'delivering'] as const)
    it(`from ${stage}: mock upstreams finish it, and the real ones receive nothing`, async (t) => {
      const { cleanup, redis, start } = await setUp(t)
      const { calls, env } = await startCounter(cleanup)
      const first = await start(sandbox)
      const { body } = await submit(first.address, veo)
      await waitForStage(first.address, body.runId, /^(queued|processing)$/)
      await first.stop()
      if (stage === 'delivering') await writeOldDelivery(redis, body.runId)

      const second = await start(env)
      const end = await waitForEnd(second.address, body.runId)
      assert.equal(end.stage, 'succeeded', JSON.stringify(end.error))
      const video = await fetch(end.data.output?.video.url ?? '')
      assert.equal(video.headers.get('content-type'), 'video/mp4')
      assert.deepEqual(calls, [])
      // Render times of mock upstreams are not recorded for the real ones.
      assert.equal(await redis.exists(keys.renderTimes(false)), 0)
    })

  /** As version 0.1 stored it: with a link of the process that accepted the job. */
  async function writeOldDelivery(redis: Awaited<ReturnType<typeof setUp>>['redis'], id: string) {
    const record = await redis.hmget(keys.job(id), 'view', 'work')
    const [view, work] = record.map((text) => JSON.parse(text ?? '{}'))
    const results = [{ url: 'http://127.0.0.1:1/video/old.mp4' }]
    await redis.hset(keys.job(id), {
      state: 'delivering',
      view: JSON.stringify({ ...view, state: 'delivering' }),
      work: JSON.stringify({ ...work, results }),
    })
  }

  it('is canceled at the mock upstream, and a lost reply is searched for there', async (t) => {
    const { cleanup, start } = await setUp(t)
    const { calls, env } = await startCounter(cleanup)
    const api = await start({ ...sandbox, ROLE: 'api' })
    const canceled = (await submit(api.address, { ...veo, prompt: 'sandbox:hang' })).body.runId
    const lost = (await submit(api.address, { model: 'vidu-video', prompt: 'sandbox:lost' })).body.runId
    await start({ ...env, ROLE: 'worker' })
    await waitForStage(api.address, canceled, /^processing$/)
    await fetch(`${api.address}/api/generate-video/cancel?runId=${canceled}`, { method: 'POST' })
    assert.equal((await waitForEnd(api.address, canceled)).stage, 'canceled')
    assert.equal((await waitForEnd(api.address, lost)).stage, 'succeeded')
    assert.deepEqual(calls, [])
  })

  it('ignores a rejected real key, and is not moved to another upstream for it', async (t) => {
    const { cleanup, redis, start, work } = await setUp(t)
    const { calls, env } = await startCounter(cleanup)
    const api = await start({ ...sandbox, ROLE: 'api' })
    const ids = [
      (await submit(api.address, { model: 'kling-video', prompt: 'a boat', duration: '5' })).body.runId,
    ]
    ids.push(
      (await submit(api.address, { model: 'kling-v21-master', prompt: 'a boat', duration: '5' })).body.runId,
    )
    const upstreams = readConfig(env, Object.values(providers)).upstreams
    const rejectedKeys = createRejectedKeys({
      redis,
      keys,
      providers: Object.values(providers),
      upstreams,
      retryMs: 300_000,
      logger: quiet,
    })
    for (const provider of [providers.fal, providers.runware])
      await rejectedKeys.reportFault({ provider, mapping: {} }, fault('bad_credentials', 'Invalid key'))
    const entries = () => redis.keys(keys.rejectedKey('*', '*'))
    assert.equal((await entries()).length, 2)

    await start({ ...env, ROLE: 'worker', UPSTREAM_RETRY_SECONDS: '300' })
    for (const id of ids) assert.equal((await waitForEnd(api.address, id)).stage, 'succeeded')
    assert.equal((await entries()).length, 2)
    assert.deepEqual(await Promise.all(ids.map(async (id) => (await work(id)).attempt.provider)), [
      'fal',
      'runware',
    ])
    assert.deepEqual(calls, [])
  })

  it('does not make links of real jobs to the sandbox trusted', async (t) => {
    const { redis, start } = await setUp(t)
    const first = await start({ ...sandbox, ROLE: 'api' })
    const { body } = await submit(first.address, veo)
    const record = await redis.hmget(keys.job(body.runId), 'view', 'work')
    const [{ sandbox: _, ...view }, work] = record.map((text) => JSON.parse(text ?? '{}'))
    const results = [{ url: `http://127.0.0.1:${new URL(first.address).port}/video/a.mp4` }]
    await redis.hset(keys.job(body.runId), {
      state: 'delivering',
      view: JSON.stringify({ ...view, state: 'delivering' }),
      work: JSON.stringify({ ...work, results }),
    })
    await start({ ...sandbox, ROLE: 'worker' })
    const end = await waitForEnd(first.address, body.runId)
    assert.equal(end.stage, 'failed')
  })
})

describe('a real job in a process of the sandbox', () => {
  it('waits for a worker with keys: no upstream is polled, and it is purchased once', async (t) => {
    const { cleanup, redis, start, work } = await setUp(t)
    const { host, env } = await startUpstreams(cleanup, redis, 100)
    const first = await start(env)
    const running = (await submit(first.address, { ...veo, prompt: 'sandbox:hang' })).body.runId
    await waitForStage(first.address, running, /^(queued|processing)$/)
    await first.stop()
    host.injectFault({ provider: 'fal', operation: 'poll', kind: 'status', status: 500, times: 1000 })
    const api = await start({ ...env, ROLE: 'api' })
    const pending = (await submit(api.address, veo)).body.runId

    const second = await start({ ...sandbox, ROLE: 'worker' })
    for (const id of [running, pending]) {
      while ((await work(id)).missingKey === undefined) await new Promise(setImmediate)
      assert.match((await work(id)).missingKey, /this worker runs the sandbox/)
    }
    assert.equal(host.countPending('fal'), 1000)
    assert.equal((await host.tasks('fal')).length, 1)
    assert.equal(await redis.exists('reelgate:sandbox:fal'), 0)
    await waitForStage(api.address, pending, /^pending$/)
    // An unpurchased job can be canceled without a key.
    const unwanted = (await submit(api.address, veo)).body.runId
    await fetch(`${api.address}/api/generate-video/cancel?runId=${unwanted}`, { method: 'POST' })
    assert.equal((await waitForEnd(api.address, unwanted)).stage, 'canceled')
    await second.stop()

    host.clearFaults('fal')
    await start({ ...env, ROLE: 'worker' })
    await waitForStage(api.address, running, /^processing$/)
    assert.equal((await waitForEnd(api.address, pending)).stage, 'succeeded')
    assert.equal((await host.tasks('fal')).length, 2)
  })
})
