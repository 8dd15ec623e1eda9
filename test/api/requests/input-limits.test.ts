import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import type { Redis } from 'ioredis'
import { shortenWarnings } from '../../../src/api/requests/input-limits.ts'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  waitForEnd,
} from '../../support/setup.ts'

const link = (bytes: number) => `https://files.example/${'x'.repeat(bytes - 22)}`
const picture = { model: 'kling-video', prompt: 'a boat', duration: '5' }
const animated = { model: 'kling-v21-standard', prompt: 'a boat', duration: '5' }
const story = { model: 'longstories-movie', prompt: 'a boat' }
const mb = 1024 * 1024

type Reply = { runId: string; error: { param: string; message: string } }

describe('texts that would be stored', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let address: string
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  before(async () => {
    const store = await startRedis(cleanup)
    redis = store.redis
    upstreams = await startUpstreams(cleanup, (await startRedis(cleanup)).redis, 50)
    const env = { ...upstreams.env, REDIS_URL: store.url, UPSTREAM_TIMEOUT_SECONDS: '5' }
    address = (await startTestGateway(cleanup, env)).address
  })
  after(() => cleanup.run())

  const submit = async (body: object, headers: Record<string, string> = {}) => {
    const reply = await fetch(`${address}/api/generate-video`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return { status: reply.status, body: (await reply.json()) as Reply }
  }
  /** Everything of a job, and the largest value of all. */
  const recordBytes = async (id: string) => {
    const record = await redis.hgetall(`reelgate:job:${id}`)
    return Buffer.byteLength(Object.entries(record).flat().join(''))
  }

  const tooLarge: readonly [what: string, body: object, param: string, limit: RegExp][] = [
    [
      'a conversationUUID of 300 kB',
      { ...picture, conversationUUID: 'x'.repeat(300_000) },
      'conversationUUID',
      /256/,
    ],
    ['one of 257 characters', { ...picture, conversation_uuid: '字'.repeat(257) }, 'conversationUUID', /256/],
    ['a link of 300 kB', { ...animated, imageUrl: link(300_000) }, 'imageUrl', /8192/],
    ['a link of 8193 bytes', { ...animated, image: link(8193) }, 'image', /8192/],
    ['a link in an object', { ...animated, image: { url: link(9000) } }, 'image', /8192/],
    [
      'a link of few, but long characters',
      { ...animated, image: `https://a.example/${'字'.repeat(3000)}` },
      'image',
      /8192/,
    ],
    [
      'a link in a list',
      { ...story, characters: [{ name: 'a', image: link(9000) }] },
      'characters[0].image',
      /8192/,
    ],
    [
      'a link in a story',
      { ...story, storyConfig: { scenes: [{ image: link(9000) }] } },
      'storyConfig.scenes[0].image',
      /8192/,
    ],
    [
      'a list of 101',
      { ...story, characters: Array.from({ length: 101 }, () => ({ name: 'a' })) },
      'characters',
      /100/,
    ],
    [
      'a story of 70 kB',
      { ...story, storyConfig: { scenes: Array(700).fill('x'.repeat(98)) } },
      'storyConfig',
      /61440/,
    ],
    [
      'several fields that are too large together',
      { ...story, script: '漢'.repeat(15_000), directorNotes: 'x'.repeat(19_000) },
      'script',
      /61440/,
    ],
    [
      'a voice of 300 characters',
      { model: 'kling-lipsync-t2v', prompt: 'a', video: link(30), voice_id: 'x'.repeat(300) },
      'voice_id',
      /200/,
    ],
  ]
  for (const [what, body, param, limit] of tooLarge) {
    it(`${what}: 400 with the field and the limit, and nothing stored`, async () => {
      const before = await redis.keys('*job:*')
      const { status, body: reply } = await submit(body)
      assert.equal(status, 400, JSON.stringify(reply).slice(0, 500))
      assert.equal(reply.error.param, param)
      assert.match(reply.error.message, limit)
      assert.ok(reply.error.message.length < 1000)
      assert.deepEqual(await redis.keys('*job:*'), before)
    })
  }

  it('an ID, a link and a list as large as they may be are accepted', async () => {
    const { status, body } = await submit({
      ...picture,
      image: link(8192),
      conversationUUID: '字'.repeat(256),
    })
    assert.equal(status, 202)
    const status2 = await submit({ ...story, characters: Array.from({ length: 100 }, () => ({ name: 'a' })) })
    assert.equal(status2.status, 202, JSON.stringify(status2.body))
    assert.ok((await recordBytes(body.runId)) < 65_536)
  })

  it('a cursor is an ID', async () => {
    for (const [path, param] of [
      [`/api/jobs?cursor=${'x'.repeat(257)}`, 'cursor'],
      [`/v1/videos?after=${'x'.repeat(257)}`, 'after'],
    ] as const) {
      const reply = await fetch(address + path)
      assert.equal(reply.status, 400)
      const { error } = (await reply.json()) as Reply
      assert.equal(error.param, param)
      assert.match(error.message, /256/)
    }
  })

  it('the text of an upstream is limited in every field', async () => {
    const long = 'no such thing '.repeat(200_000)
    for (const kind of ['submit', 'poll', 'result']) {
      upstreams.host.injectFault({
        provider: 'fal',
        operation: kind,
        kind: 'status',
        status: 422,
        body: { detail: long },
        times: 1,
      })
      const { body } = await submit({ ...picture }, { 'idempotency-key': `long ${kind}` })
      await waitForEnd(address, body.runId)
      upstreams.host.clearFaults('fal')
      assert.ok((await recordBytes(body.runId)) < 65_536)
    }
    for (const key of await redis.keys('*')) {
      const bytes = await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')
      assert.ok(Number(bytes) < 200_000, `${key.slice(0, 80)} has ${bytes} bytes`)
    }
  })

  it('long names of a client do not make its stored reply long', async () => {
    const name = `mo${'_'.repeat(200_000)}tion`
    const { status, body } = await submit(
      { model: 'veo2-video', prompt: 'a', [name]: 'b' },
      { 'idempotency-key': 'names' },
    )
    assert.equal(status, 202)
    assert.ok(JSON.stringify(body).length < 5000)
  })

  it('a larger record of an earlier version continues', async () => {
    upstreams.host.injectFault({ provider: 'fal', operation: 'submit', kind: 'late', ms: 300, times: 1 })
    const { body } = await submit(picture)
    const key = `reelgate:job:${body.runId}`
    const input = JSON.parse((await redis.hget(key, 'input')) ?? '{}')
    await redis.hset(key, 'input', JSON.stringify({ ...input, prompt: 'x'.repeat(mb) }))
    assert.equal((await waitForEnd(address, body.runId)).stage, 'succeeded')
  })
})

test('many long warnings are shortened', () => {
  const warnings = shortenWarnings(Array.from({ length: 70 }, () => 'x'.repeat(1000)))
  assert.equal(warnings.length, 51)
  assert.match(warnings[50] ?? '', /20 more/)
  assert.ok(warnings.every((warning) => warning.length <= 400))
})
