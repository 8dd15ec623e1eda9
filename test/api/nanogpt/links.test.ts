import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway, submitted } from '../gateway.ts'

const cases: readonly { name: string; headers: Record<string, string>; publicUrl?: string; url: string }[] = [
  {
    name: 'the host of the request',
    headers: { host: 'reel.example:3000' },
    url: 'http://reel.example:3000',
  },
  { name: 'an address', headers: { host: '127.0.0.1:80' }, url: 'http://127.0.0.1:80' },
  { name: 'an address of version 6', headers: { host: '[::1]:3000' }, url: 'http://[::1]:3000' },
  { name: 'the name of a container', headers: { host: 'my_gateway:3000' }, url: 'http://my_gateway:3000' },
  {
    name: 'what a proxy forwards',
    headers: { host: 'inner:3000', 'x-forwarded-host': 'reel.example', 'x-forwarded-proto': 'https' },
    url: 'https://reel.example',
  },
  {
    name: 'the first of several proxies',
    headers: { host: 'inner', 'x-forwarded-host': 'reel.example, mid', 'x-forwarded-proto': 'HTTPS,http' },
    url: 'https://reel.example',
  },
  {
    name: 'the host where the forwarded one is none',
    headers: {
      host: 'reel.example',
      'x-forwarded-host': 'evil.example/path?',
      'x-forwarded-proto': 'javascript',
    },
    url: 'http://reel.example',
  },
  {
    name: 'itself where there is no host',
    headers: { host: 'user@evil.example' },
    url: 'http://localhost:80',
  },
  {
    name: 'itself where the port is none',
    headers: { host: 'reel.example:99999' },
    url: 'http://localhost:80',
  },
  {
    name: 'what is configured before anything else',
    headers: { host: 'inner', 'x-forwarded-host': 'other.example' },
    publicUrl: 'https://reel.example/video/',
    url: 'https://reel.example/video',
  },
]

for (const { name, headers, publicUrl, url } of cases) {
  test(`links begin with ${name}`, async (t) => {
    const { app, engine } = await startGateway(t, { config: { bodyLimitBytes: 1000, publicUrl } })
    const id = await submitted(app)
    engine.move(id, {
      state: 'succeeded',
      videos: [{ url: '/files/a.mp4' }, { url: 'https://cdn.example/b.mp4' }],
    })
    const { videoUrl, data } = (await app.inject({ url: `/api/video/status?runId=${id}`, headers })).json()
    assert.equal(videoUrl, `${url}/files/a.mp4`)
    assert.deepEqual(data.output.videoUrls, [`${url}/files/a.mp4`, 'https://cdn.example/b.mp4'])
  })
}
