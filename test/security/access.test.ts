import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { pino } from 'pino'
import { providers } from '../../providers/index.ts'
import { ConfigError, readConfig } from '../../src/config/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { cheapJob, clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'

type Headers = Record<string, string>

/** Sends any header as it is: `fetch` sets `Host`, `Origin` and `Sec-Fetch-*` itself. */
async function send(address: string, method: string, path: string, headers: Headers = {}, body = '') {
  const sent = httpRequest(`${address}${path}`, { method, headers, agent: false })
  sent.end(method === 'POST' ? body : '')
  const [reply] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  // A stream of events does not end on its own.
  const isStream = reply.headers['content-type']?.startsWith('text/event-stream') === true
  if (isStream) reply.destroy()
  return { status: reply.statusCode, headers: reply.headers, body: isStream ? '' : await text(reply) }
}

const crossOrigin: readonly { what: string; headers: Headers }[] = [
  { what: 'a page of another site', headers: { origin: 'https://evil.example' } },
  { what: 'a sandboxed page', headers: { origin: 'null' } },
  { what: 'an origin that only looks local', headers: { origin: 'http://localhost.evil.example' } },
  { what: 'a local name of another scheme', headers: { origin: 'ftp://localhost' } },
  { what: 'two origins', headers: { origin: 'http://localhost, https://evil.example' } },
  { what: 'an embedded resource', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } },
  {
    what: 'a link that is followed',
    headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  },
  { what: 'a rebound name', headers: { host: 'evil.example:3000' } },
  { what: 'a rebound name, same origin', headers: { host: 'evil.example', origin: 'http://evil.example' } },
  { what: 'a name that begins with an address', headers: { host: '127.0.0.1.evil.example' } },
  { what: 'an address of the network', headers: { host: '192.168.1.5:3000' } },
]

const local: readonly { what: string; headers: Headers }[] = [
  { what: 'a program', headers: {} },
  { what: 'a program in a container', headers: { host: 'host.docker.internal:3000' } },
  {
    what: 'a page on this machine',
    headers: { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-site' },
  },
  {
    what: 'a page under its address',
    headers: { origin: 'http://127.0.0.1:5173', 'sec-fetch-site': 'cross-site' },
  },
  { what: 'a page of version 6', headers: { origin: 'http://[::1]:8080', host: 'localhost:3000' } },
  {
    what: 'a name below localhost',
    headers: { host: 'reel.localhost:3000', origin: 'https://app.localhost' },
  },
  {
    what: 'a name with a dot at its end',
    headers: { host: 'localhost.:3000', origin: 'http://localhost.:5173' },
  },
  { what: 'the page of the documentation', headers: { 'sec-fetch-site': 'same-origin' } },
  { what: 'an address that a user types', headers: { 'sec-fetch-site': 'none' } },
]

/** One of each kind: acts, reads, streams, lists, uploads, is for the operator, is not there. */
const routes: readonly [string, string][] = [
  ['POST', '/api/generate-video'],
  ['POST', '/v1/videos'],
  ['GET', '/v1/videos'],
  ['GET', '/api/jobs'],
  ['GET', '/api/jobs/vid_1/events'],
  ['HEAD', '/api/generate-video/content?runId=vid_1'],
  ['GET', '/api/generate-video/recover'],
  ['GET', '/api/library'],
  ['POST', '/api/library'],
  ['POST', '/api/price'],
  ['POST', '/api/webhooks/secret'],
  ['GET', '/api/v1/models'],
  ['GET', '/api/admin/keys'],
  ['GET', '/openapi.json'],
  ['GET', '/nowhere'],
]

describe('a gateway without a key', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  let backend: Awaited<ReturnType<typeof startBackend>>
  let address: string
  const job = JSON.stringify(cheapJob)

  before(async () => {
    backend = await startBackend(cleanup, { ROLE: 'api' })
    address = (await startTestGateway(cleanup, backend.env)).address
  })

  for (const { what, headers } of crossOrigin) {
    it(`rejects ${what} on every route, and no page can read the reply`, async () => {
      for (const [method, path] of routes) {
        const reply = await send(address, method, path, { 'content-type': 'text/plain', ...headers }, job)
        assert.equal(reply.status, 403, `${method} ${path}`)
        assert.equal(reply.headers['access-control-allow-origin'], undefined, `${method} ${path}`)
        if (method !== 'HEAD') {
          assert.match(reply.body, /"code":"api_key_origin_not_allowed"/)
          assert.match(reply.body, /npm run keys -- create --name NAME.*ALLOWED_ORIGINS/)
        }
        const preflight = { ...headers, 'access-control-request-method': method }
        const preflightReply = await send(address, 'OPTIONS', path, preflight)
        assert.equal(preflightReply.headers['access-control-allow-origin'], undefined, `OPTIONS ${path}`)
        assert.equal(preflightReply.status, 403)
        assert.match(preflightReply.body, /^\{"error":\{.*"code":"api_key_origin_not_allowed"/)
      }
      for (const path of ['/health', '/ready', '/hooks/vid_1/secret']) {
        const reply = await send(address, path.startsWith('/hooks') ? 'POST' : 'GET', path, headers)
        assert.notEqual(reply.status, 403, path)
        assert.equal(reply.headers['access-control-allow-origin'], undefined, path)
      }
      const malformed = await send(address, 'GET', '/%zz', headers)
      assert.equal(malformed.headers['access-control-allow-origin'], undefined)
      // Everyone with the name of a file can show it.
      assert.equal((await send(address, 'GET', `/files/${'0'.repeat(40)}.mp4`, headers)).status, 404)
    })
  }

  it('accepted no job of them', async () => {
    assert.deepEqual(await backend.redis.keys('reelgate:job:*'), [])
  })

  for (const { what, headers } of local) {
    it(`serves ${what}`, async () => {
      const reply = await send(address, 'POST', '/api/price', headers, job)
      assert.equal(reply.status, 200, reply.body)
      assert.equal(reply.headers['access-control-allow-origin'], '*')
      if (headers.origin === undefined) return
      const preflight = { ...headers, 'access-control-request-method': 'POST' }
      assert.equal((await send(address, 'OPTIONS', '/api/price', preflight)).status, 204)
    })
  }

  it('serves its documentation to links from other sites', async () => {
    const visit = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    assert.equal((await send(address, 'GET', '/docs', visit)).status, 200)
    assert.equal((await send(address, 'GET', '/docs', { ...visit, 'sec-fetch-dest': 'iframe' })).status, 403)
  })

  it('accepts this machine only, even if a local proxy forwards other clients', async () => {
    const from = (client: string) =>
      send(address, 'POST', '/api/price', { 'x-forwarded-for': client, 'x-api-key': 'any' }, job)
    assert.equal((await from('127.0.0.1')).status, 200)
    for (const client of ['203.0.113.9', '127.0.0.1, 203.0.113.9', 'unknown', 'x']) {
      const reply = await from(client)
      assert.equal(reply.status, 401, client)
      assert.match(reply.body, /npm run keys -- create --name NAME/)
    }
  })

  it('serves the origins that the operator allows', async () => {
    const env = { ...backend.env, ALLOWED_ORIGINS: 'https://app.example/, chrome-extension://abcdef' }
    const named = await startTestGateway(cleanup, env)
    const price = (headers: Headers) => send(named.address, 'POST', '/api/price', headers, job)
    const page = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }
    const reply = await price(page)
    assert.deepEqual([reply.status, reply.headers['access-control-allow-origin']], [200, '*'])
    assert.equal((await price({ origin: 'chrome-extension://abcdef' })).status, 200)
    assert.equal((await price({ host: 'app.example' })).status, 200)
    assert.equal((await price({ origin: 'https://other.example' })).status, 403)
    const any = await startTestGateway(cleanup, { ...backend.env, ALLOWED_ORIGINS: '*' })
    assert.equal((await send(any.address, 'POST', '/api/price', { origin: 'null' }, job)).status, 200)
    assert.throws(() => readConfig({ ALLOWED_ORIGINS: 'null' }, Object.values(providers)), ConfigError)
  })

  it('rejects pages even with AUTH=off', async () => {
    const env = { ...backend.env, AUTH: 'off', PUBLIC_URL: 'https://reel.example' }
    const off = await startTestGateway(cleanup, { ...env, HOST: '0.0.0.0' })
    const price = (at: string, headers: Headers) =>
      send(at.replace('0.0.0.0', '127.0.0.1'), 'POST', '/api/price', headers, job)
    assert.equal((await price(off.address, { host: 'any.example' })).status, 200)
    assert.equal((await price(off.address, { 'x-forwarded-for': '203.0.113.9' })).status, 200)
    assert.equal((await price(off.address, { origin: 'https://reel.example' })).status, 200)
    const lan = { host: '192.168.1.5:3000', origin: 'http://192.168.1.5:3000' }
    assert.equal((await price(off.address, lan)).status, 200)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'http://evil.example', host: 'evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const reply = await price(off.address, headers)
      assert.equal(reply.status, 403)
      assert.match(reply.body, /AUTH=keys/)
    }
    const loopback = await startTestGateway(cleanup, env)
    assert.equal((await price(loopback.address, { host: 'reel.example' })).status, 200)
    assert.equal((await price(loopback.address, { host: 'evil.example' })).status, 403)
    assert.equal(
      (await price(loopback.address, { host: 'reel.example', origin: 'https://evil.example' })).status,
      403,
    )
  })

  it('accepts every origin once it has a key', async () => {
    const { key } = await backend.ledger.createAccount({ name: 'page' })
    const page = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site', 'x-api-key': key }
    let reply = await send(address, 'POST', '/api/price', page, job)
    while (reply.status === 403) reply = await send(address, 'POST', '/api/price', page, job)
    assert.deepEqual([reply.status, reply.headers['access-control-allow-origin']], [200, '*'])
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const preflightReply = await send(address, 'OPTIONS', '/api/price', preflight)
    assert.deepEqual(
      [preflightReply.status, preflightReply.headers['access-control-allow-origin']],
      [204, '*'],
    )
    const { 'x-api-key': _, ...without } = page
    assert.equal((await send(address, 'POST', '/api/price', without, job)).status, 401)
  })
})

describe('the operator', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('gets a log line about who can use the gateway, and that AUTH=off ignores keys', async () => {
    const backend = await startBackend(cleanup, { ROLE: 'api' })
    const warningsOf = async (changes: Headers) => {
      const lines: string[] = []
      const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) })
      const env = { PORT: '0', ...backend.env, ...changes }
      const gateway = await startGateway(readConfig(env, Object.values(providers)), logger)
      cleanup.add(() => gateway.stop())
      return { address: gateway.address, text: lines.join('') }
    }
    const create = 'npm run keys -- create --name NAME'
    assert.match((await warningsOf({})).text, new RegExp(`spend money at your upstreams.*${create}`))
    assert.match((await warningsOf({ HOST: '0.0.0.0' })).text, new RegExp(`locked.*${create}`))
    const { address, text: warnings } = await warningsOf({ AUTH: 'off' })
    assert.match(warnings, new RegExp(`spend money at your upstreams; set AUTH=keys.*${create}`))
    const operator = clientOf(address, operatorKey)
    const made = await operator.request('POST', '/api/admin/keys', { name: 'useless' })
    assert.equal(made.status, 201)
    assert.match(String(made.body.warning), /AUTH=off/)
    assert.match(
      (await warningsOf({ AUTH: 'off', HOST: '0.0.0.0' })).text,
      /protects nothing.*everyone who can reach/s,
    )
    assert.doesNotMatch((await warningsOf({})).text, /API key|AUTH/)
  })

  it('can name trusted proxies in several formats, and gets an error for invalid ones', () => {
    const trusts = (value: string, address: string, hop = 0) =>
      readConfig({ TRUST_PROXY: value }, Object.values(providers)).trustProxy(address, hop)
    const yes: readonly [string, string][] = [
      ['', '127.0.0.1'],
      ['', '::ffff:127.0.0.1'],
      ['loopback, 10.0.0.0/8', '10.1.2.3'],
      ['uniquelocal', '::ffff:172.18.0.1'],
      ['fd00::/8', 'fd12::1'],
      ['203.0.113.9', '203.0.113.9'],
      ['all', '203.0.113.9'],
      ['1', '203.0.113.9'],
    ]
    for (const [value, address] of yes) assert.equal(trusts(value, address), true, `${value} ${address}`)
    const no: readonly [string, string][] = [
      ['', '10.0.0.1'],
      ['off', '127.0.0.1'],
      ['10.0.0.0/8', '11.0.0.1'],
      ['10.0.0.0/8', 'nonsense'],
      ['10.0.0.0/8', ''],
      ['0', '127.0.0.1'],
    ]
    for (const [value, address] of no) assert.equal(trusts(value, address), false, `${value} ${address}`)
    assert.equal(trusts('1', '203.0.113.9', 1), false)
    for (const value of ['proxy', '10.0.0.0/33', '1.2.3', '10.0.0.0/8/8', '::1/129', '-1'])
      assert.throws(() => trusts(value, '127.0.0.1'), /TRUST_PROXY must be off, all/, value)
  })
})

describe('a gateway that others can reach', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('rejects requests until the first key exists, which all processes accept at once', async () => {
    const backend = await startBackend(cleanup, { ROLE: 'api', HOST: '0.0.0.0', ADMIN_KEY: '' })
    const env = { ...backend.env, KEYS_COMMAND: 'docker compose exec api node src/cli/keys.ts' }
    const gateways = [await startTestGateway(cleanup, env), await startTestGateway(cleanup, env)]
    const addresses = gateways.map((gateway) => gateway.address.replace('0.0.0.0', '127.0.0.1'))
    const balance = (at: string, headers: Headers) => send(at, 'POST', '/api/check-balance', headers)
    for (const at of addresses) {
      for (const headers of [{}, { 'x-api-key': 'any' }]) {
        const { status, body } = await balance(at, headers)
        assert.equal(status, 401)
        assert.match(body, /locked.*docker compose exec api node src\/cli\/keys\.ts create --name NAME/)
      }
      for (const path of ['/health', '/ready']) assert.equal((await send(at, 'GET', path)).status, 200)
    }
    const { key } = await backend.ledger.createAccount({ name: 'first' })
    for (const at of addresses) {
      while ((await balance(at, { 'x-api-key': key })).status !== 200) await new Promise(setImmediate)
      assert.doesNotMatch((await balance(at, {})).body, /locked/)
    }
  })
})

describe('a gateway whose Redis is emptied', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('rejects requests, also after a restart and in processes with separate disks', async () => {
    const backend = await startBackend(cleanup, { ROLE: 'api' })
    const { DATA_DIR: dataDir = '', ...rest } = backend.env
    const [one, other] = [join(dataDir, 'one'), join(dataDir, 'other')]
    const start = (dir: string) => startTestGateway(cleanup, { ...rest, DATA_DIR: dir })
    const status = async (at: string, headers: Headers = {}) =>
      (await send(at, 'POST', '/api/check-balance', headers)).status
    const gateways = [await start(one), await start(other)]
    for (const { address } of gateways) assert.equal(await status(address), 200)
    const { key } = await backend.ledger.createAccount({ name: 'lost' })
    for (const { address } of gateways) {
      while ((await status(address)) !== 401) await new Promise(setImmediate)
    }
    await backend.redis.flushall()
    for (const { address } of gateways) assert.equal(await status(address), 401)
    for (const gateway of gateways) await gateway.stop()

    const again = await start(other)
    const refused = await send(again.address, 'POST', '/api/check-balance', { 'x-api-key': key })
    assert.equal(refused.status, 401)
    assert.match(
      refused.body,
      /Redis has lost them.*npm run keys -- create --name NAME.*api-keys-exist\.reelgate/,
    )
    assert.equal(refused.body.includes(dataDir), false)
    await again.stop()

    const [marker = ''] = (await readdir(other)).filter((name) => name.startsWith('api-keys-exist'))
    await rm(join(other, marker))
    const reset = await start(other)
    assert.equal(await status(reset.address), 200)
  })
})

describe('failed attempts', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('are limited per client address, and never block a valid secret', async () => {
    const limits = { FAILED_ADMIN_KEY_RPM: '3', FAILED_API_KEY_RPM: '3', FAILED_CALLBACK_RPM: '3' }
    const backend = await startBackend(cleanup, { ROLE: 'api', ...limits })
    const { key } = await backend.ledger.createAccount({ name: 'valid' })
    const { address } = await startTestGateway(cleanup, backend.env)
    const requests = {
      admin: (headers: Headers) =>
        send(address, 'GET', '/api/admin/keys', { 'x-api-key': 'wrong', ...headers }),
      key: (headers: Headers) =>
        send(address, 'POST', '/api/check-balance', { 'x-api-key': 'no', ...headers }),
      callback: (headers: Headers) => send(address, 'POST', '/hooks/vid_1/wrong', headers),
    }
    for (const [kind, request] of Object.entries(requests)) {
      const statuses: (number | undefined)[] = []
      for (let attempt = 0; attempt < 5; attempt++) {
        const { status, headers } = await request({})
        statuses.push(status)
        if (status === 429) assert.match(headers['retry-after'] ?? '', /^[1-9]\d?$/)
      }
      const expected = kind === 'callback' ? 404 : 401
      assert.deepEqual(statuses, [expected, expected, expected, 429, 429], kind)
      assert.equal((await request({ 'x-forwarded-for': '203.0.113.9' })).status, expected, kind)
    }
    assert.equal((await clientOf(address, operatorKey).request('GET', '/api/admin/keys')).status, 200)
    assert.equal((await clientOf(address, key).request('POST', '/api/check-balance')).status, 200)
  })

  it('are counted for the connecting address, whatever the headers say', async () => {
    const backend = await startBackend(cleanup, {
      ROLE: 'api',
      FAILED_ADMIN_KEY_RPM: '2',
      TRUST_PROXY: 'off',
    })
    const { address } = await startTestGateway(cleanup, backend.env)
    const statuses: (number | undefined)[] = []
    for (let attempt = 0; attempt < 3; attempt++) {
      const headers = { 'x-api-key': 'wrong', 'x-forwarded-for': `203.0.113.${attempt}` }
      statuses.push((await send(address, 'GET', '/api/admin/keys', headers)).status)
    }
    assert.deepEqual(statuses, [401, 401, 429])
  })
})
