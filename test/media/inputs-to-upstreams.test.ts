import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createInputLinks } from '../../src/media/inputs/input-links.ts'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
} from '../support/setup.ts'
import { dataUrl, png, video } from './files.ts'

const cleanup = createCleanup()
let redis: Redis
let upstreams: Awaited<ReturnType<typeof startUpstreams>>
before(async () => {
  redis = (await startRedis(cleanup)).redis
  upstreams = await startUpstreams(cleanup, redis)
})
after(() => cleanup.run())

const start = async (env: Record<string, string> = {}) =>
  (await startTestGateway(cleanup, { ...upstreams.env, ...env })).address

/** The last task of the mock upstream. */
async function lastTask(provider: 'fal' | 'wavespeed' | 'magicapi') {
  const tasks = await upstreams.host.tasks(provider)
  return tasks.toSorted((a, b) => a.createdAt - b.createdAt).at(-1)?.body ?? {}
}

const small = png()
const large = png({ padding: 400_000 })
const swap = {
  model: 'magicapi-video-face-swap',
  swapImage: dataUrl('image/png', small),
  targetVideo: dataUrl('video/mp4', video),
  videoDuration: 5,
}

describe('sending input files to an upstream', () => {
  it('inline, if the upstream supports that', async () => {
    const address = await start()
    const image = dataUrl('image/png', small)
    const { body } = await submit(address, {
      model: 'hunyuan-video-image-to-video',
      prompt: 'it moves',
      imageDataUrl: image,
    })
    assert.equal((await waitForEnd(address, body.runId)).data.status, 'COMPLETED')
    assert.equal((await lastTask('fal')).image_url, image)
  })

  it('by its upload call, with the same bytes', async () => {
    const address = await start()
    const body = {
      model: 'bytedance-waver-1.0',
      prompt: 'it moves',
      imageDataUrl: dataUrl('image/png', large),
    }
    const reply = await submit(address, body)
    assert.equal((await waitForEnd(address, reply.body.runId)).data.status, 'COMPLETED')
    const uploaded = await fetch(String((await lastTask('wavespeed')).image))
    assert.equal(uploaded.headers.get('content-type'), 'image/png')
    assert.ok(Buffer.from(await uploaded.arrayBuffer()).equals(large))
  })

  it('a lost reply is found again by the same upload, and nothing is purchased twice', async () => {
    const address = await start()
    const before = (await upstreams.host.tasks('wavespeed')).length
    upstreams.host.injectFault({ provider: 'wavespeed', operation: 'submit', kind: 'lost', times: 1 })
    const body = {
      model: 'bytedance-waver-1.0',
      prompt: 'it moves on',
      imageDataUrl: dataUrl('image/png', large),
    }
    const reply = await submit(address, body)
    assert.equal((await waitForEnd(address, reply.body.runId)).data.status, 'COMPLETED')
    assert.equal((await upstreams.host.tasks('wavespeed')).length, before + 1)
  })

  it('no public address, and an upstream that accepts links only: a 400 with the reason', async () => {
    const address = await start()
    const { status, body } = await submit(address, swap)
    assert.equal(status, 400)
    assert.match(String(body.message), /`swapImage` must be a public http\(s\) link.*PUBLIC_URL/)
    const links = { swapImage: 'https://cdn.example/a.png', targetVideo: 'https://cdn.example/a.mp4' }
    assert.equal((await submit(address, { ...swap, ...links })).status, 202)
  })

  it('a signed link to the gateway, if it has a public address', async () => {
    const address = await start({ PUBLIC_URL: 'https://media.example' })
    const { status, body } = await submit(address, swap)
    assert.equal(status, 202)
    assert.equal((await waitForEnd(address, body.runId)).data.status, 'COMPLETED')
    const task = await lastTask('magicapi')
    assert.match(String(task.swap_image), /^https:\/\/media\.example\/media\/[\w.-]+\.png$/)
    const path = String(task.target_video).replace('https://media.example', '')
    assert.match(path, /\.mp4$/)
    const file = await fetch(address + path)
    assert.deepEqual([file.status, file.headers.get('content-type')], [200, 'video/mp4'])
    assert.ok(Buffer.from(await file.arrayBuffer()).equals(video))
    const part = await fetch(address + path, { headers: { range: 'bytes=4-7' } })
    assert.deepEqual([part.status, await part.text()], [206, 'ftyp'])
    assert.equal((await fetch(address + path.replace(/media\/./, 'media/_'))).status, 404)
  })

  it('mock upstreams need no public address', async () => {
    const address = (
      await startTestGateway(cleanup, { SANDBOX: 'on', SANDBOX_RENDER_SECONDS: '0', POLL_MAX_MS: '100' })
    ).address
    const { status, body } = await submit(address, swap)
    assert.equal(status, 202)
    assert.equal((await waitForEnd(address, body.runId)).data.status, 'COMPLETED')
  })
})

describe('signed links', () => {
  const stored = { hash: 'a'.repeat(64), bytes: 10, contentType: 'image/png' }
  const links = createInputLinks('secret')

  it('lead to a file for a limited time', () => {
    const token = links.createToken(stored, 1000)
    assert.deepEqual(links.readToken(token, 2000), stored)
    assert.equal(links.readToken(token, 1000 + 25 * 3_600_000), 'expired')
  })

  it('signed with another secret, or changed, are not found', () => {
    const token = links.createToken(stored)
    const [content = '', signature = ''] = token.split('.')
    const other = Buffer.from(JSON.stringify([...Object.values(stored), Number.MAX_SAFE_INTEGER])).toString(
      'base64url',
    )
    const forged = [
      createInputLinks('other').createToken(stored),
      `${other}.${signature}.png`,
      `${content}..png`,
      content,
      '',
      '..',
      'a.b.c',
    ]
    for (const one of forged) assert.equal(links.readToken(one), undefined, one)
  })
})
