import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { after, beforeEach, describe, it } from 'node:test'
import type { Call, Host, Provider } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import type { ProviderConfig } from '../../src/config/provider-settings.ts'
import type { FileUpload } from '../../src/upstreams/file-bodies.ts'
import { type CallResult, createTransport, isUnsent } from '../../src/upstreams/transport.ts'
import { createCleanup } from '../support/setup.ts'

type Received = {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
  port: number
}
type Responder = (response: ServerResponse, request: Received) => unknown

const apiKey = 'an-api-key-of-the-test'
const poll: Call = { method: 'GET', path: '/task' }

describe('a call to an upstream', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  let respond: Responder = () => undefined
  let received: Received[] = []
  beforeEach(() => {
    received = []
    respond = (response) => response.end('{}')
  })

  async function listen() {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const { method = '', url = '', headers, socket } = request
      const body = Buffer.concat(chunks).toString()
      received.push({ method, url, headers, body, port: socket.remotePort ?? 0 })
      respond(response, received.at(-1) as Received)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanup.add(() => {
      server.closeAllConnections()
      server.close()
    })
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  /** An upstream with two hosts; only the first one signs with the key. */
  async function createUpstream({ timeoutMs = 10_000, now }: { timeoutMs?: number; now?: () => Date } = {}) {
    const api = await listen()
    const files = await listen()
    const signed: Parameters<Host['sign']>[] = []
    const host: Host = {
      baseUrlVariable: '',
      credentials: [],
      sign: (...request) => {
        signed.push(request)
        return { authorization: `Key ${request[1].API_KEY}` }
      },
    }
    const provider: Provider = {
      ...runware,
      hosts: { api: host, files: { ...host, sign: () => ({ 'x-files': 'yes' }) }, homeless: host },
    }
    const config: ProviderConfig = {
      credentials: { API_KEY: apiKey },
      settings: { API_KEY: 'a-setting', REGION: 'eu' },
      baseUrls: { api: `${api.url}/v1`, files: files.url },
    }
    const transport = createTransport({ timeoutMs, ...(now && { now }) })
    cleanup.add(() => transport.close().catch(() => undefined))
    const send = (call: Call, options: Parameters<typeof transport.send>[3] = {}, to = provider) =>
      transport.send(to, config, call, options)
    return { api, files, signed, provider, config, transport, send }
  }

  const replyOf = (sent: CallResult) => {
    assert.equal(sent.kind, 'reply')
    return sent.kind === 'reply' ? sent.reply : assert.fail()
  }

  it('sends JSON, and returns status, headers and JSON', async () => {
    const { send, api } = await createUpstream()
    respond = (response) => {
      response.writeHead(201, { 'X-Task': 'one', 'Set-Cookie': ['a=1', 'b=2'] })
      response.end('{"id":7}')
    }
    const reply = replyOf(await send({ method: 'POST', path: '/jobs?x=1', json: { prompt: 'a bóat' } }))
    assert.equal(reply.status, 201)
    assert.deepEqual(reply.body, { id: 7 })
    assert.equal(reply.headers['x-task'], 'one')
    assert.equal(reply.headers['set-cookie'], 'a=1, b=2')
    assert.equal(reply.baseUrl, `${api.url}/v1`)
    const [request] = received
    assert.equal(request?.method, 'POST')
    assert.equal(request?.url, '/v1/jobs?x=1')
    assert.equal(request?.headers['content-type'], 'application/json')
    assert.equal(request?.headers.accept, 'application/json')
    assert.equal(request?.body, '{"prompt":"a bóat"}')
  })

  it('sends a form', async () => {
    const { send } = await createUpstream()
    await send({ method: 'PUT', path: '/form', form: { a: '1 2', b: '&' } })
    assert.equal(received[0]?.method, 'PUT')
    assert.equal(received[0]?.headers['content-type'], 'application/x-www-form-urlencoded')
    assert.equal(received[0]?.body, 'a=1+2&b=%26')
  })

  it('has no body and no content type if there is nothing to send', async () => {
    const { send } = await createUpstream()
    await send({ method: 'POST', path: '/cancel' })
    await send({ method: 'POST', path: '/upload', media: 'body' })
    for (const { headers, body } of received) {
      assert.equal(headers['content-type'], undefined)
      assert.equal(body, '')
    }
    assert.equal(received.length, 2)
  })

  it('sends the headers of the call, which replace the defaults', async () => {
    const { send } = await createUpstream()
    await send({ ...poll, headers: { accept: 'text/plain', 'x-extra': 'yes' } })
    assert.equal(received[0]?.headers.accept, 'text/plain')
    assert.equal(received[0]?.headers['x-extra'], 'yes')
  })

  it('sends a file as its body, with its type and length', async () => {
    const { send } = await createUpstream()
    const upload = uploadOf('sixteen bytes ok')
    await send({ method: 'PUT', path: '/file', media: 'body' }, { upload })
    assert.equal(received[0]?.body, 'sixteen bytes ok')
    assert.equal(received[0]?.headers['content-type'], 'video/mp4')
    assert.equal(received[0]?.headers['content-length'], '16')
  })

  it('does not send a file that the call does not use', async () => {
    const { send } = await createUpstream()
    await send({ method: 'POST', path: '/start' }, { upload: uploadOf('not this') })
    assert.equal(received[0]?.body, '')
  })

  it('sends files inside JSON', async () => {
    const { send } = await createUpstream()
    const inline = [{ placeholder: '@file', bytes: 3, open: async () => Readable.from([Buffer.from('abc')]) }]
    await send({ method: 'POST', path: '/jobs', json: { image: '@file' } }, { inline })
    assert.equal(received[0]?.body, '{"image":"YWJj"}')
    assert.equal(received[0]?.headers['content-type'], 'application/json')
    assert.equal(received[0]?.headers['content-length'], '16')
  })

  it('returns text that is not JSON unchanged', async () => {
    const { send } = await createUpstream()
    respond = (response) => response.end('<html>busy</html>')
    assert.equal(replyOf(await send(poll)).body, '<html>busy</html>')
  })

  it('is signed over method, address, headers and body, at the time of the call', async () => {
    const at = new Date('2026-01-02T03:04:05Z')
    const { send, signed, api } = await createUpstream({ now: () => at })
    await send({ method: 'POST', path: '/jobs', json: { a: 1 } })
    const [request, proofs, time] = signed[0] ?? assert.fail()
    assert.equal(request.method, 'POST')
    assert.equal(request.url.href, `${api.url}/v1/jobs`)
    assert.equal(request.headers['content-type'], 'application/json')
    assert.equal(request.body, '{"a":1}')
    assert.deepEqual(proofs, { API_KEY: apiKey, REGION: 'eu' })
    assert.equal(time, at)
    assert.equal(received[0]?.headers.authorization, `Key ${apiKey}`)
  })

  it('is signed with the current time by default', async () => {
    const { send, signed } = await createUpstream()
    const before = Date.now()
    await send({ ...poll, method: 'PUT' })
    const [request, , at] = signed[0] ?? assert.fail()
    assert.ok(at.getTime() >= before && at.getTime() <= Date.now())
    assert.equal(request.body, '')
  })

  it('signs an upload with an empty body: the file is not read twice', async () => {
    const { send, signed } = await createUpstream()
    await send({ method: 'PUT', path: '/file', media: 'body' }, { upload: uploadOf('the file') })
    assert.equal(signed[0]?.[0].body, '')
  })

  it('is sent to the named host, signed as that host requires', async () => {
    const { send, files, signed } = await createUpstream()
    const reply = replyOf(await send({ ...poll, host: 'files' }))
    assert.equal(reply.baseUrl, files.url)
    assert.equal(received[0]?.url, '/task')
    assert.equal(received[0]?.headers['x-files'], 'yes')
    assert.equal(received[0]?.headers.authorization, undefined)
    assert.equal(signed.length, 0)
  })

  it('to a host without a base URL, or an unknown host, is never sent', async () => {
    const { send, provider } = await createUpstream()
    for (const host of ['homeless', 'unheard-of'])
      assert.equal((await send({ ...poll, host })).kind, 'unsent')
    assert.equal((await send(poll, {}, { ...provider, hosts: {} })).kind, 'unsent')
    assert.equal(received.length, 0)
  })

  it('to another origin has no key', async () => {
    const { send, files, signed } = await createUpstream()
    const path = `${files.url}/bucket/upload?signature=1`
    replyOf(await send({ method: 'PUT', path, media: 'body' }, { upload: uploadOf('the file') }))
    assert.equal(received[0]?.url, '/bucket/upload?signature=1')
    assert.equal(received[0]?.headers.authorization, undefined)
    assert.equal(received[0]?.body, 'the file')
    assert.equal(signed.length, 0)
  })

  it('with a path outside the base URL is never sent, and never signed', async () => {
    const { provider, config, transport, files, signed } = await createUpstream()
    const bare = { ...config, baseUrls: { api: 'http://user' } }
    const path = `@${new URL(files.url).host}/steal`
    assert.equal((await transport.send(provider, bare, { ...poll, path })).kind, 'unsent')
    assert.equal(received.length, 0)
    assert.equal(signed.length, 0)
  })

  it('accepts a path that contains a URL', async () => {
    const { send, files } = await createUpstream()
    await send({ ...poll, path: `/proxy/${files.url}` })
    assert.equal(received[0]?.url, `/v1/proxy/${files.url}`)
    assert.equal(received[0]?.headers.authorization, `Key ${apiKey}`)
  })

  it('follows no redirect', async () => {
    const { send, files } = await createUpstream()
    respond = (response) => response.writeHead(302, { location: `${files.url}/else` }).end()
    assert.equal(replyOf(await send(poll)).status, 302)
    assert.equal(received.length, 1)
  })

  it('is lost if no reply arrives in time', { timeout: 30_000 }, async () => {
    const { send } = await createUpstream({ timeoutMs: 200 })
    respond = () => undefined
    const sent = await send(poll)
    assert.equal(sent.kind, 'lost')
    if (sent.kind === 'lost') {
      assert.equal(sent.fault.code, 'upstream_unreachable')
      assert.match(sent.fault.message, /Runware.*TIMEOUT/)
    }
  })

  it('is lost if the reply arrives byte by byte without an end', { timeout: 30_000 }, async () => {
    const { send } = await createUpstream({ timeoutMs: 300 })
    respond = (response) => {
      const drip = setInterval(() => response.write(' '), 20)
      response.once('close', () => clearInterval(drip))
    }
    assert.equal((await send(poll)).kind, 'lost')
  })

  it('with a file has a longer timeout, by its size', async () => {
    const { send } = await createUpstream({ timeoutMs: 200 })
    respond = (response) => void setTimeout(() => response.end('{}'), 600)
    const upload = { ...uploadOf(''), media: { ...uploadOf('').media, bytes: 256 * 30_000 } }
    assert.equal((await send(poll, { upload })).kind, 'reply')
  })

  it('with a file is lost if its reply is incomplete', { timeout: 20_000 }, async () => {
    const { send } = await createUpstream({ timeoutMs: 200 })
    respond = (response) => void response.writeHead(200).write('{')
    const upload = { ...uploadOf(''), media: { ...uploadOf('').media, bytes: 256 * 60_000 } }
    assert.equal((await send(poll, { upload })).kind, 'lost')
  })

  it('is lost if the connection closes before or during the reply', async () => {
    const { send } = await createUpstream()
    respond = (response) => response.destroy()
    const aborted = await send(poll)
    assert.equal(aborted.kind, 'lost')
    respond = (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{')
      setImmediate(() => response.destroy())
    }
    assert.equal((await send(poll)).kind, 'lost')
  })

  it('reads a reply of up to 4 MB', async () => {
    const { send } = await createUpstream()
    const limit = 4 * 1024 * 1024
    respond = (response) => response.end('x'.repeat(limit))
    assert.equal(String(replyOf(await send(poll)).body).length, limit)
    respond = (response) => response.end('x'.repeat(limit + 1))
    const sent = await send(poll)
    assert.equal(sent.kind, 'lost')
    if (sent.kind === 'lost') assert.match(sent.fault.message, /REPLY_TOO_LARGE/)
  })

  it('redacts keys that the upstream quotes, and does not change short words', async () => {
    const { provider, config, transport } = await createUpstream()
    const credentials = { API_KEY: apiKey, TWELVE: 'twelve-chars', SHORT: 'eleven-char' }
    respond = (response) => response.end(`"${apiKey} ${apiKey} twelve-chars eleven-char"`)
    const sent = await transport.send(provider, { ...config, credentials }, poll)
    assert.equal(replyOf(sent).body, '[redacted] [redacted] [redacted] eleven-char')
  })

  it('that purchases has its own connection; others share connections', async () => {
    const { send } = await createUpstream()
    const ports = async (options: { purchase?: true }) => {
      received = []
      for (let n = 0; n < 20; n++) await send(poll, options)
      return new Set(received.map(({ port }) => port)).size
    }
    assert.equal(await ports({ purchase: true }), 20)
    assert.ok((await ports({})) < 20)
  })

  it('leaves no connection open after the transport is closed', async () => {
    const { send, transport, api } = await createUpstream()
    await send(poll)
    await transport.close()
    while ((await new Promise((settle) => api.server.getConnections((_, count) => settle(count)))) !== 0)
      await new Promise(setImmediate)
    assert.notEqual((await send(poll)).kind, 'reply')
    assert.notEqual((await send(poll, { purchase: true })).kind, 'reply')
    assert.equal(received.length, 1)
  })

  describe('after failed purchases', () => {
    const fail: Responder = (response) => response.writeHead(500).end()
    const buy = { purchase: true }

    it('eight in a row pause purchases at that upstream only', async () => {
      const { send, provider } = await createUpstream()
      respond = fail
      for (let n = 0; n < 8; n++) assert.equal((await send(poll, buy)).kind, 'reply')
      const sent = await send(poll, buy)
      assert.equal(sent.kind, 'unsent')
      if (sent.kind === 'unsent') assert.equal(sent.fault.code, 'upstream_unreachable')
      assert.equal(received.length, 8)
      assert.equal((await send(poll)).kind, 'reply')
      assert.equal((await send(poll, buy, { ...provider, name: 'fal' })).kind, 'reply')
    })

    it('a success or a rejection resets the count', async () => {
      const { send } = await createUpstream()
      for (const status of [200, 429]) {
        respond = fail
        for (let n = 0; n < 7; n++) await send(poll, buy)
        respond = (response) => response.writeHead(status).end()
        await send(poll, buy)
      }
      respond = fail
      for (let n = 0; n < 7; n++) await send(poll, buy)
      assert.equal((await send(poll, buy)).kind, 'reply')
      assert.equal(received.length, 24)
    })

    it('missing replies count, too', async () => {
      const { send } = await createUpstream()
      respond = (response) => response.destroy()
      for (let n = 0; n < 8; n++) assert.equal((await send(poll, buy)).kind, 'lost')
      assert.equal((await send(poll, buy)).kind, 'unsent')
    })

    it('other calls do not count', async () => {
      const { send } = await createUpstream()
      respond = fail
      for (let n = 0; n < 9; n++) await send(poll)
      assert.equal((await send(poll, buy)).kind, 'reply')
    })

    it('the upstream is tried again after 10 s', async (t) => {
      const { send } = await createUpstream()
      respond = fail
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      for (let n = 0; n < 8; n++) await send(poll, buy)
      t.mock.timers.tick(9_999)
      assert.equal((await send(poll, buy)).kind, 'unsent')
      t.mock.timers.tick(1)
      assert.equal((await send(poll, buy)).kind, 'reply')
    })

    it('a single purchase tries it, and the others are not sent if that fails', async (t) => {
      const { send } = await createUpstream()
      respond = fail
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      for (let n = 0; n < 8; n++) await send(poll, buy)
      t.mock.timers.tick(10_000)
      const sent = await Promise.all(Array.from({ length: 5 }, () => send(poll, buy)))
      assert.deepEqual(sent.map(({ kind }) => kind).sort(), ['reply', ...Array(4).fill('unsent')])
      assert.equal(received.length, 9)
    })
  })
})

describe('an error before or after a request was sent', () => {
  const failed = (code: string, syscall?: string) =>
    Object.assign(new Error(code), { code, ...(syscall && { syscall }) })

  for (const code of [
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_INVALID_ARG',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_TLS_HANDSHAKE_TIMEOUT',
    'CERT_HAS_EXPIRED',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ])
    it(`${code}: not sent`, () => assert.equal(isUnsent(failed(code)), true))

  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH'])
    for (const syscall of ['connect', 'getaddrinfo', 'read', undefined])
      it(`${code} in ${syscall}: ${syscall === 'connect' || syscall === 'getaddrinfo' ? 'not sent' : 'unknown'}`, () =>
        assert.equal(isUnsent(failed(code, syscall)), syscall === 'connect' || syscall === 'getaddrinfo'))

  for (const code of [
    'ECONNRESET',
    'UND_ERR_SOCKET',
    'UND_ERR_HEADERS_TIMEOUT',
    'X_UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_CONNECT_TIMEOUT_X',
    'UND_ERR_CONNECT_TIMEOUT_CERT',
    'CERTAIN',
    'NOT_ECONNREFUSED',
    'ECONNREFUSED_NOT',
    'X_UNABLE_TO_VERIFY',
    'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
  ])
    it(`${code}: unknown`, () => {
      assert.equal(isUnsent(failed(code, 'read')), false)
      assert.equal(isUnsent(failed(code, 'connect')), false)
    })

  it('several errors of one connection: not sent only if all of them prove it', () => {
    const [refused, reset] = [failed('ECONNREFUSED', 'connect'), failed('ECONNRESET', 'read')]
    assert.equal(isUnsent(new AggregateError([refused, refused])), true)
    assert.equal(isUnsent(new AggregateError([refused, reset])), false)
  })

  it('a value that is not an error, or has no code: unknown', () => {
    for (const cause of [
      'CERT_HAS_EXPIRED',
      { code: 'CERT_HAS_EXPIRED' },
      undefined,
      new Error('CERT_HAS_EXPIRED'),
    ])
      assert.equal(isUnsent(cause), false)
    assert.equal(
      isUnsent(Object.assign(new Error('?'), { code: { toString: () => 'CERT_HAS_EXPIRED' } })),
      false,
    )
    assert.equal(isUnsent({ code: 'ECONNREFUSED', syscall: 'connect' }), false)
  })
})

function uploadOf(text: string): FileUpload {
  return {
    media: { kind: 'video', contentType: 'video/mp4', bytes: Buffer.byteLength(text), filename: 'a.mp4' },
    open: async () => Readable.from([Buffer.from(text)]),
  }
}
