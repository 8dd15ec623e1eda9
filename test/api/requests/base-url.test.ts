import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway, submitted, twoPeople } from '../gateway.ts'

const own = 'http://localhost:80'

type Case = {
  name: string
  headers: Record<string, string>
  publicUrl?: string
  trustProxy?: (address: string, hop: number) => boolean
  url: string
}

const nobody = () => false

const cases: readonly Case[] = [
  { name: 'an address', headers: { host: '127.0.0.1:80' }, url: 'http://127.0.0.1:80' },
  { name: 'an address of version 6', headers: { host: '[::1]:3000' }, url: 'http://[::1]:3000' },
  {
    name: 'an address of a private network',
    headers: { host: '192.168.1.5:3000' },
    url: 'http://192.168.1.5:3000',
  },
  { name: 'the name of a container', headers: { host: 'my_gateway:3000' }, url: 'http://my_gateway:3000' },
  { name: 'a name of the local network', headers: { host: 'nas.local:3000' }, url: 'http://nas.local:3000' },
  { name: 'itself where the host may be a stranger’s', headers: { host: 'evil.example:3000' }, url: own },
  { name: 'itself where the host looks local', headers: { host: 'localhost.evil.example' }, url: own },
  { name: 'itself where the host is a foreign address', headers: { host: '203.0.113.9' }, url: own },
  { name: 'itself where a foreign address is disguised', headers: { host: '3405803785' }, url: own },
  {
    name: 'what a proxy forwards',
    headers: { host: 'inner:3000', 'x-forwarded-host': 'reel.example', 'x-forwarded-proto': 'https' },
    url: 'https://reel.example',
  },
  {
    name: 'the host where a proxy says that it passes it on',
    headers: { host: 'reel.example', 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' },
    url: 'https://reel.example',
  },
  {
    name: 'what the outermost of several trusted proxies forwards',
    headers: {
      host: 'inner',
      'x-forwarded-for': '203.0.113.9, 127.0.0.2',
      'x-forwarded-host': 'evil.example, reel.example, mid',
      'x-forwarded-proto': 'javascript,HTTPS,http',
    },
    url: 'https://reel.example',
  },
  {
    name: 'what the only trusted proxy forwards',
    headers: { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'evil.example, reel.example' },
    url: 'http://reel.example',
  },
  {
    name: 'a port and a path',
    headers: {
      'x-forwarded-host': 'reel.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '8443',
      'x-forwarded-prefix': '/video/',
    },
    url: 'https://reel.example:8443/video',
  },
  {
    name: 'no port that contradicts the protocol',
    headers: { 'x-forwarded-host': 'reel.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '80' },
    url: 'https://reel.example',
  },
  {
    name: 'a header of RFC 7239',
    headers: {
      forwarded:
        'for=127.0.0.3;host=evil.example, For="[2001:db8::1]:4711";Proto=https;Host="reel.example:8443"',
    },
    url: 'https://reel.example:8443',
  },
  {
    name: 'not RFC 7239 from a client next to the headers of the proxy',
    headers: { forwarded: 'host=evil.example', 'x-forwarded-host': 'reel.example' },
    url: 'http://reel.example',
  },
  {
    name: 'the host where the forwarded one is none',
    headers: {
      host: 'reel.example',
      'x-forwarded-host': 'evil.example/path?',
      'x-forwarded-proto': 'javascript',
      'x-forwarded-port': '8080;evil',
    },
    url: 'http://reel.example',
  },
  ...[
    '//evil.example',
    '/a/../b',
    '/a b',
    'video',
    '/a"b',
    '/%zz',
    '/a,/b c',
    '/..',
    '/a/%2e%2E/b',
    '/.%2e',
  ].map((prefix) => ({
    name: `no path ${prefix}`,
    headers: { host: 'localhost:80', 'x-forwarded-prefix': prefix },
    url: own,
  })),
  ...[
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-for': '127.0.0.1' },
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-port': '8443' },
    { 'x-forwarded-prefix': '/evil' },
    { forwarded: 'host=evil.example;proto=https' },
  ].map((headers) => ({
    name: `itself where no trusted proxy sent ${Object.keys(headers)[0]}`,
    headers: { ...headers, host: 'localhost:80' } as Record<string, string>,
    trustProxy: nobody,
    url: own,
  })),
  { name: 'itself where there is no host', headers: { host: 'user@evil.example' }, url: own },
  { name: 'itself where the port is none', headers: { host: 'reel.example:99999' }, url: own },
  {
    name: 'what is configured before anything else',
    headers: { host: 'inner', 'x-forwarded-host': 'other.example', 'x-forwarded-prefix': '/x' },
    publicUrl: 'https://reel.example/video/',
    url: 'https://reel.example/video',
  },
]

for (const { name, headers, publicUrl, trustProxy, url } of cases) {
  test(`links start with ${name}`, async (t) => {
    const { app, engine } = await startGateway(t, {
      authenticator: twoPeople,
      config: { bodyLimitBytes: 1000, publicUrl, ...(trustProxy !== undefined && { trustProxy }) },
    })
    const id = await submitted(app, { headers: { 'x-api-key': 'alice-secret-key' } })
    engine.advance(id, {
      state: 'succeeded',
      videos: [{ url: '/files/a.mp4' }, { url: 'https://cdn.example/b.mp4' }],
    })
    const request = {
      url: `/api/video/status?runId=${id}`,
      headers: { ...headers, 'x-api-key': 'alice-secret-key' },
    }
    const { videoUrl, data } = (await app.inject(request)).json()
    assert.equal(videoUrl, `${url}/files/a.mp4`)
    assert.deepEqual(data.output.videoUrls, [`${url}/files/a.mp4`, 'https://cdn.example/b.mp4'])
  })
}

test('stored links do not use an address from a request header', async (t) => {
  const { app, engine } = await startGateway(t, { authenticator: twoPeople })
  const submit = async (headers: Record<string, string>) => {
    await submitted(app, { headers: { 'x-api-key': 'alice-secret-key', ...headers } })
    return engine.requests.at(-1)?.webhook?.baseUrl
  }
  assert.equal(await submit({ host: 'evil.example' }), own)
  assert.equal(await submit({ host: '192.168.1.5:3000' }), own)
  assert.equal(await submit({ host: 'evil.example', 'x-forwarded-for': '203.0.113.9' }), own)
  assert.equal(await submit({ 'x-forwarded-host': 'reel.example' }), 'http://reel.example')
})
