import assert from 'node:assert/strict'
import { after, describe, it, test } from 'node:test'
import { providers } from '../../providers/index.ts'
import { readConfig } from '../../src/config/config.ts'
import { createUpstreamReport, logUpstreams } from '../../src/upstreams/readiness.ts'
import { startProcess, stopProcess } from '../support/gateway-process.ts'
import { createCleanup, startRedis, startTestGateway, temporaryFolder } from '../support/setup.ts'

test('incompletely configured upstreams are named', () => {
  const all = Object.values(providers)
  const read = (env: Record<string, string>) => readConfig(env, all).incompleteUpstreams
  assert.deepEqual(read({ MIDJOURNEY_API_SECRET: 'x' }), [
    'Midjourney: MIDJOURNEY_API_SECRET is set, MIDJOURNEY_BASE_URL is missing',
  ])
  assert.deepEqual(read({ MIDJOURNEY_BASE_URL: 'http://mj.example' }), [
    'Midjourney: MIDJOURNEY_BASE_URL is set, MIDJOURNEY_API_SECRET is missing',
  ])
  assert.match(
    read({ VOLC_ACCESS_KEY: 'x', FAL_KEY: 'y' }).join(),
    /VOLC_ACCESS_KEY is set, VOLC_SECRET_KEY is missing/,
  )
  assert.match(read({ VOLC_SECRET_KEY: 'x' }).join(), /VOLC_SECRET_KEY is set, VOLC_ACCESS_KEY is missing/)
  assert.match(read({ S3_SECRET_KEY: 'x' }).join(), /S3_SECRET_KEY set, S3_BUCKET is missing/)
  assert.deepEqual(read({ FAL_KEY: 'x', ARK_API_KEY: 'y', FAL_BASE_URL: 'http://fal.example' }), [])
  assert.deepEqual(read({}), [])
})

describe('a gateway', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  const readyOf = async (env: Record<string, string>) => {
    const { url } = await startRedis(cleanup)
    const { address } = await startTestGateway(cleanup, { REDIS_URL: url, ...env })
    const ready = await fetch(`${address}/ready`)
    return { status: ready.status, body: await ready.text() }
  }

  it('without a usable upstream is not ready, and reports why', async () => {
    const { status, body } = await readyOf({ SANDBOX: 'off', MIDJOURNEY_API_SECRET: 'not-to-be-seen' })
    assert.equal(status, 503)
    assert.match(body, /MIDJOURNEY_BASE_URL is missing/)
    assert.match(body, /no job can be rendered/)
    assert.doesNotMatch(body, /not-to-be-seen/)
  })

  it('in the sandbox is ready without any key', async () => {
    assert.deepEqual(await readyOf({}), { status: 200, body: '{"status":"ready"}' })
  })

  it('with one upstream of several is ready, names the other, and suggests nothing that costs money', async () => {
    const running = await startProcess({
      DATA_DIR: await temporaryFolder(cleanup),
      REDIS_URL: (await startRedis(cleanup)).url,
      LOG_LEVEL: 'warn',
      FAL_KEY: 'a-real-key-of-fal',
      VOLC_ACCESS_KEY: 'not-to-be-seen',
      MIDJOURNEY_API_SECRET: 'not-to-be-seen',
    })
    cleanup.add(() => stopProcess(running))
    const ready = await fetch(`${running.address}/ready`)
    assert.equal(ready.status, 200)
    const body = await ready.text()
    await stopProcess(running)
    const written = running.written.join('\n')
    for (const text of [body, written]) {
      assert.match(text, /VOLC_SECRET_KEY is missing/)
      assert.doesNotMatch(text, /not-to-be-seen|a-real-key/)
    }
    assert.doesNotMatch(written, /generate-video/)
    assert.match(
      written,
      /FAL \(live\).*ByteDance \(incomplete\), Midjourney \(incomplete\), MagicAPI \(no key\)/,
    )
    assert.match(written, /curl -s http\S+\/api\/v1\/video-models/)
  })
})

test('problems of upstreams are logged at startup', () => {
  const logged: unknown[] = []
  const log = (...line: unknown[]) => logged.push(line.at(-1))
  const incomplete = ['Midjourney: X is set, Y is missing']
  const report = createUpstreamReport({ canRender: false, incompleteUpstreams: incomplete })
  logUpstreams(report, incomplete, [], { warn: log, error: log } as never)
  assert.equal(logged.length, 2)
  assert.match(String(logged[0]), /no job can be rendered/)
  assert.match(String(logged[1]), /Midjourney: X is set, Y is missing/)
})
