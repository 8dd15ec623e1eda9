import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { clientOf, startBackend } from '../accounts/test-accounts.ts'
import { listen } from '../support/listen.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { defaultConfig, type Nginx, replaceAll, requireNginx, shippedConfig, startNginx } from './nginx.ts'

type Headers = Record<string, string>

async function get(url: string, headers: Headers = {}, method = 'GET') {
  const sent = httpRequest(url, { method, headers, agent: false })
  sent.end()
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: reply.statusCode, headers: reply.headers, body: await buffer(reply) }
}

const lies = {
  'x-forwarded-for': '198.51.100.7',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '4443',
  'x-forwarded-prefix': '/evil',
  forwarded: 'for=198.51.100.7;host=evil.example;proto=https',
}

describe('behind nginx', { skip: requireNginx() ? false : 'there is no nginx' }, () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  let backend: Awaited<ReturnType<typeof startBackend>>
  let gateway: string
  let nginx: Nginx
  let key: string
  let runId: string
  let file: string

  before(async () => {
    backend = await startBackend(cleanup)
    key = (await backend.ledger.createAccount({ name: 'proxied' })).key
    gateway = (await startTestGateway(cleanup, backend.env)).address
    const config = await shippedConfig(gateway)
    nginx = await startNginx(cleanup, () => config)
    const client = clientOf(nginx.address, key)
    runId = (await client.submit()).body.runId
    file = (await client.waitForEnd(runId)).videoUrl ?? ''
  })

  const linkOf = async (address: string, headers: Headers = {}) => {
    const reply = await get(`${address}/api/video/status?requestId=${runId}`, {
      'x-api-key': key,
      ...headers,
    })
    return (JSON.parse(String(reply.body)) as { videoUrl: string }).videoUrl
  }

  it('links lead to nginx, under the requested host name', async () => {
    assert.equal(new URL(file).origin, nginx.address)
    assert.equal((await get(file)).status, 200)
    const named = await linkOf(nginx.address, { host: 'reel.example:8080' })
    assert.equal(named, file.replace(nginx.address, 'http://reel.example:8080'))
  })

  it('no client header changes links', async () => {
    assert.equal(await linkOf(nginx.address, lies), file)
  })

  it('serves the range requests of Safari', async () => {
    const whole = (await get(file)).body
    const bytes = whole.length
    assert.ok(bytes > 3 * 4096, 'the file has several pieces')
    const range = (value: string, headers: Headers = {}) => get(file, { range: value, ...headers })
    const first = await range('bytes=0-1')
    assert.deepEqual([first.status, first.headers['content-range']], [206, `bytes 0-1/${bytes}`])
    assert.deepEqual(first.body, whole.subarray(0, 2))
    for (const [from, to] of [
      [0, bytes - 1],
      [4000, 9000],
      [4096, 8191],
      [bytes - 10, bytes - 1],
    ] as const) {
      const part = await range(`bytes=${from}-${to}`)
      assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes ${from}-${to}/${bytes}`])
      assert.equal(Number(part.headers['content-length']), to - from + 1)
      assert.deepEqual(part.body, whole.subarray(from, to + 1))
    }
    const rest = await range('bytes=5000-')
    assert.deepEqual([rest.status, rest.body], [206, whole.subarray(5000)])
    const end = await range('bytes=-100')
    assert.deepEqual([end.status, end.body], [206, whole.subarray(-100)])
    assert.equal((await range(`bytes=${bytes}-`)).status, 416)
    const etag = String(first.headers.etag)
    assert.equal((await range('bytes=0-1', { 'if-range': etag })).status, 206)
    assert.equal((await range('bytes=0-1', { 'if-range': '"other"' })).status, 200)
  })

  it('supports HEAD, and any page can embed the file', async () => {
    const head = await get(file, { origin: 'https://app.example' }, 'HEAD')
    const { body, headers } = await get(file)
    assert.deepEqual([head.status, Number(head.headers['content-length'])], [200, body.length])
    assert.equal(head.headers['content-type'], 'video/mp4')
    assert.equal(head.headers['accept-ranges'], 'bytes')
    assert.equal(headers['access-control-allow-origin'], '*')
  })

  it('caches files only', async () => {
    const { body } = await clientOf(nginx.address, key).submit()
    const other = (await clientOf(nginx.address, key).waitForEnd(body.runId)).videoUrl ?? ''
    const states = []
    for (let times = 0; times < 2; times++) states.push((await get(other)).headers['x-cache-status'])
    assert.deepEqual(states, ['MISS', 'HIT'])
    assert.equal((await get(other, { range: 'bytes=0-1' })).headers['x-cache-status'], 'HIT')
    const missing = `${nginx.address}/files/${'0'.repeat(40)}.mp4`
    for (let times = 0; times < 2; times++) assert.equal((await get(missing)).status, 404)
    const status = await get(`${nginx.address}/api/video/status?requestId=${runId}`, { 'x-api-key': key })
    assert.equal(status.headers['x-cache-status'], undefined)
    assert.equal(status.headers['cache-control'], 'no-store')
  })

  it('stores no key and no secret in its cache and logs', async () => {
    const secret = 'callback-secret-of-the-test'
    await get(file, { 'x-api-key': key, authorization: `Bearer ${key}`, cookie: `key=${key}` })
    await get(`${nginx.address}/api/v1/models?api_key=${key}`)
    await get(`${nginx.address}/hooks/${runId}/${secret}`, {}, 'POST')
    const written = await nginx.written()
    assert.match(written, /POST \/hooks\/vid_\w+\/\[redacted\] 404/)
    assert.match(written, /GET \/files\/\[redacted\] 200/)
    assert.equal(written.includes(secret), false)
    assert.equal(written.includes(key), false)
  })

  it('passes events on without buffering', async () => {
    const slow = await startBackend(cleanup, {}, 600_000)
    const { key: other } = await slow.ledger.createAccount({ name: 'slow' })
    const { address } = await startTestGateway(cleanup, slow.env)
    const config = await shippedConfig(address)
    const proxy = await startNginx(cleanup, () => config)
    const client = clientOf(proxy.address, other)
    const { body } = await client.submit()
    const events = await listen(`${proxy.address}/api/jobs/${body.runId}/events`, { 'x-api-key': other })
    await events.until(1)
    assert.doesNotMatch(String(events.events[0]?.body.stage), /succeeded|failed|canceled/)
    await client.request('POST', '/api/generate-video/cancel', { runId: body.runId })
    await events.ended
    assert.match(String(events.events.at(-1)?.body.stage), /canceled|failed/)
  })

  it('passes an upload of 32 MB', async () => {
    const padding = Buffer.alloc(32 * 1024 * 1024)
    padding.writeUInt32BE(padding.length)
    padding.write('free', 4)
    const video = new Blob([readFileSync('src/sandbox/sample.mp4'), padding], { type: 'video/mp4' })
    const form = new FormData()
    form.append('file', video, 'large.mp4')
    const headers = { 'x-api-key': key }
    const reply = await fetch(`${nginx.address}/api/library`, { method: 'POST', headers, body: form })
    assert.ok(reply.ok, await reply.text())
  })

  it('rate limits use the address of the client', async () => {
    const attempts = async (headers: Headers) => {
      const statuses: (number | undefined)[] = []
      for (let attempt = 0; attempt < 3; attempt++)
        statuses.push(
          (await get(`${limited.address}/api/admin/keys`, { 'x-api-key': 'wrong', ...headers })).status,
        )
      return statuses
    }
    const env = { ...backend.env, ROLE: 'api', FAILED_ADMIN_KEY_RPM: '2' }
    const config = await shippedConfig((await startTestGateway(cleanup, env)).address)
    const limited = await startNginx(cleanup, () => config)
    assert.deepEqual(await attempts({}), [401, 401, 429])
    assert.deepEqual(await attempts(lies), [429, 429, 429])
  })

  it('with defaults and PUBLIC_URL, links start with PUBLIC_URL', async () => {
    for (const path of ['', '/video']) {
      const publicUrl = `https://reel.example${path}`
      const { address } = await startTestGateway(cleanup, {
        ...backend.env,
        ROLE: 'api',
        PUBLIC_URL: publicUrl,
      })
      const proxy = await startNginx(cleanup, () => defaultConfig(address, `${path}/`))
      const expected = file.replace(nginx.address, publicUrl)
      assert.equal(await linkOf(`${proxy.address}${path}`), expected)
      assert.equal(await linkOf(`${proxy.address}${path}`, lies), expected)
      assert.equal((await get(expected.replace('https://reel.example', proxy.address))).status, 200)
    }
  })

  it('below a path, links, the documentation and uploads work', async () => {
    const config = replaceAll(await shippedConfig(gateway), {
      'location / {\n      proxy_pass http://reelgate;':
        'location /video/ {\n      proxy_pass http://reelgate/;',
      'location /files/ {\n      proxy_pass http://reelgate;':
        'location /video/files/ {\n      proxy_pass http://reelgate/files/;',
      'proxy_set_header X-Forwarded-Prefix "";': 'proxy_set_header X-Forwarded-Prefix /video;',
    })
    const proxy = await startNginx(cleanup, () => config)
    const base = `${proxy.address}/video`
    const link = await linkOf(base)
    assert.equal(link, file.replace(nginx.address, base))
    assert.deepEqual((await get(link)).body, (await get(file)).body)
    assert.equal((await get(link, { range: 'bytes=0-1' })).status, 206)
    const document = JSON.parse(String((await get(`${base}/openapi.json`)).body)) as { servers: unknown }
    assert.deepEqual(document.servers, [{ url: '/video' }])
    const page = String((await get(`${base}/docs`)).body)
    for (const [, path = ''] of page.matchAll(/(?:src|href)="([^"]+)"/g))
      assert.equal((await get(new URL(path, `${base}/docs`).href)).status, 200, path)
    assert.equal((await clientOf(base, key).submit()).status, 202)
  })

  it('headers of an address that is not trusted are ignored', async () => {
    const env = { ...backend.env, ROLE: 'api', TRUST_PROXY: '10.0.0.0/8' }
    const { address } = await startTestGateway(cleanup, env)
    assert.equal(await linkOf(address, lies), file.replace(nginx.address, address))
    const config = await shippedConfig(address)
    const proxy = await startNginx(cleanup, () => config)
    assert.equal(await linkOf(proxy.address, { host: 'reel.example' }), file.replace(nginx.address, address))
    assert.equal(await linkOf(proxy.address, lies), file.replace(nginx.address, proxy.address))
  })
})
