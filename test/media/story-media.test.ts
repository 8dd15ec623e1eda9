import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { providers } from '../../providers/index.ts'
import type { Input } from '../../providers/input.ts'
import { formatStoredReference } from '../../src/catalogue/media-values/stored-reference.ts'
import {
  createUploadedFile,
  isUploadReference,
  uploadReferenceOf,
} from '../../src/catalogue/media-values/uploaded-file.ts'
import { parseValue } from '../../src/catalogue/validation/parse-value.ts'
import { asAlice } from '../api/gateway.ts'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
} from '../support/setup.ts'
import { dataUrl, png } from './files.ts'
import { type MediaSetup, namesIn, startMediaGateway } from './media-gateway.ts'

const cleanup = createCleanup()
let redis: Redis
let upstreams: Awaited<ReturnType<typeof startUpstreams>>
before(async () => {
  redis = (await startRedis(cleanup)).redis
  upstreams = await startUpstreams(cleanup, redis)
})
after(() => cleanup.run())

const story = { model: 'longstories-movie', prompt: 'a fox', duration: 30 }
const images = { short: png(), long: png({ padding: 150_000 }) }

async function send({ address }: MediaSetup, body: unknown): Promise<{ status: number; message: string }> {
  const reply = await fetch(`${address}/api/generate-video`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...asAlice },
    body: JSON.stringify(body),
  })
  return { status: reply.status, message: ((await reply.json()) as { message: string }).message }
}

async function nothingLeft({ dataDir, store }: MediaSetup): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await readdir(join(dataDir, 'scratch'))).length === 0) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(await readdir(join(dataDir, 'scratch')), [])
  assert.deepEqual(await namesIn(store, 'inputs'), [])
}

describe('an image inside of a story', () => {
  for (const [size, content] of Object.entries(images)) {
    it(`that is a ${size} data URL is stored by its content; the record holds a reference`, async (t) => {
      const setup = await startMediaGateway(t, 'disk', { redis })
      const image = dataUrl('image/png', content)
      const characters = [{ name: 'Fox', image }, 'a4f0a51b']
      const scenes = [{ narration: 'It runs.', picture: image }]
      const { status } = await send(setup, { ...story, characters, storyConfig: { characters, scenes } })
      assert.equal(status, 202)
      const [name = ''] = await namesIn(setup.store, 'inputs')
      const stored = formatStoredReference({
        hash: name.slice('inputs/'.length),
        bytes: content.length,
        contentType: 'image/png',
      })
      const { input = {} } = setup.engine.requests[0] ?? {}
      const expected = [{ name: 'Fox', image: stored }, 'a4f0a51b']
      assert.deepEqual(input.characters, expected)
      assert.deepEqual(input.storyConfig, {
        characters: expected,
        scenes: [{ narration: 'It runs.', picture: stored }],
      })
      assert.deepEqual(await namesIn(setup.store, 'inputs'), [name])
      assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
    })

    it(`that is a ${size} data URL is sent to the upstream once: as a link, or as it was sent`, async () => {
      const env = { ...upstreams.env, LONGSTORIES_MOVIE_SLUG: 'movies' }
      const image = dataUrl('image/png', content)
      for (const more of [{ PUBLIC_URL: 'https://gateway.example' }, {}]) {
        const { address } = await startTestGateway(cleanup, { ...env, ...more })
        const prompt = `a fox ${randomBytes(8).toString('hex')}`
        const body = { ...story, prompt, storyConfig: { characters: [{ name: 'Fox', image }] } }
        const { body: accepted } = await submit(address, body)
        assert.equal((await waitForEnd(address, accepted.runId)).data.status, 'COMPLETED')
        const tasks = await upstreams.host.tasks('longstories')
        const [task] = tasks.filter(({ body }) => body.prompt === prompt)
        const [character] = (task?.body.characters ?? []) as { name: string; image: string }[]
        assert.equal(character?.name, 'Fox')
        const link = /^https:\/\/gateway\.example(\/media\/.*)$/.exec(character?.image ?? '')?.[1]
        if ('PUBLIC_URL' in more) {
          assert.ok(link)
          const served = await fetch(address + link)
          assert.deepEqual(Buffer.from(await served.arrayBuffer()), content)
        } else if (size === 'short') assert.equal(character?.image, image)
        // The mock upstream stores the beginning of long texts.
        else assert.equal(character?.image, `${image.slice(0, 64)}… (${image.length} characters)`)
      }
    })
  }

  it('that is a link stays a link, and other text is not changed', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const characters = [
      { name: 'Fox', image: 'https://cdn.example/fox.png', appearance: 'red: with a scarf' },
      { name: 'Owl', image: 'a wise owl', description: 'data: none' },
      { name: 'Cat', image: { url: 'https://cdn.example/cat.png' } },
    ]
    const scenes = [{ image: 'Note: a dark forest', narration: 'It runs.' }]
    assert.equal((await send(setup, { ...story, characters, storyConfig: { scenes } })).status, 202)
    assert.deepEqual(setup.engine.requests[0]?.input.characters, characters)
    assert.deepEqual(setup.engine.requests[0]?.input.storyConfig, { scenes })
  })

  const stolen = formatStoredReference({ hash: 'a'.repeat(64), bytes: 7, contentType: 'image/png' })
  const broken: Record<string, [Record<string, unknown>, RegExp]> = {
    'a link of another kind': [
      { characters: [{ image: 'ftp://cdn.example/fox.png' }] },
      /`characters\[0\]\.image` is an http\(s\) link or a data URL/,
    ],
    'a local file': [
      { storyConfig: { characters: [{}, { imageUrl: 'file:///etc/passwd' }] } },
      /`storyConfig\.characters\[1\]\.imageUrl` is an http\(s\) link/,
    ],
    'a file of another owner': [{ characters: [{ image: stolen }] }, /`characters\[0\]\.image` is an http/],
    'such a file anywhere': [
      { storyConfig: { scenes: [{ visual: stolen }] } },
      /`storyConfig\.scenes\[0\]\.visual` is not a reference/,
    ],
    'a result of another owner': [
      { characters: [{ video: `result:${'a'.repeat(40)}.mp4` }] },
      /`characters\[0\]\.video` is an http/,
    ],
    'a video': [
      { characters: [{ image: 'data:video/mp4;base64,AAAA' }] },
      /`characters\[0\]\.image` is an http/,
    ],
    'a file that is cut short': [
      { characters: [{ image: dataUrl('image/png', images.short.subarray(0, -9)) }] },
      /`characters\[0\]\.image` is cut short/,
    ],
    'a long file that is cut short, behind a whole one': [
      {
        characters: [
          { image: dataUrl('image/png', images.long) },
          { image: dataUrl('image/png', images.long.subarray(0, -9)) },
        ],
      },
      /`characters\[1\]\.image` is cut short/,
    ],
    'a broken data URL in another place': [
      { storyConfig: { scenes: [{ picture: 'data:image/png;base64,$$$$' }] } },
      /`storyConfig\.scenes\[0\]\.picture` is not valid base64/,
    ],
  }
  for (const [what, [body, message]] of Object.entries(broken)) {
    it(`that is ${what} is rejected with its path, and leaves nothing`, async (t) => {
      const setup = await startMediaGateway(t, 'disk', { redis })
      const reply = await send(setup, { ...story, ...body })
      assert.deepEqual([reply.status, setup.engine.requests.length], [400, 0])
      assert.match(reply.message, message)
      await nothingLeft(setup)
    })
  }

  it('counts towards the quota of its key', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis, quotaBytes: 100_000 })
    const characters = [{ image: dataUrl('image/png', images.long) }]
    const reply = await send(setup, { ...story, characters })
    assert.ok(reply.status >= 400 && reply.status < 500, String(reply.status))
    assert.match(reply.message, /quota/)
    await nothingLeft(setup)
  })

  it('of a job from an earlier version, with its data URL in the record, is sent to the upstream', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const { longstories: provider } = providers
    const mapping = provider.models['longstories-movie'] ?? assert.fail()
    const config = { baseUrls: {}, credentials: {}, settings: {} }
    const input: Input = { prompt: 'a fox', characters: [{ image: dataUrl('image/png', images.short) }] }
    const prepared = await setup.media.inputUploader.prepare('job', input, { provider, mapping, config })
    assert.ok(prepared.kind === 'ready')
    assert.deepEqual([prepared.input, prepared.inline], [input, []])
    prepared.release()
  })

  it('that was extracted from the body stands in the input as a reference', () => {
    const file = createUploadedFile('image/png')
    const reading = parseValue('storyConfig', { characters: [{ name: 'Fox', image: file }] })
    assert.deepEqual(reading, { value: { characters: [{ name: 'Fox', image: uploadReferenceOf(file) }] } })
    assert.ok(isUploadReference(uploadReferenceOf(file)))
  })
})

describe('the Short API, which has no field for characters', () => {
  it('receives them in a note: links too, but no data URL', () => {
    const { toRequest } = providers.longstories.models['longstories-movie'] ?? assert.fail()
    const characters = [
      { name: 'Fox', image: 'https://cdn.example/fox.png' },
      { name: 'Owl', image: 'data:image/png;base64,AAAA' },
    ]
    const { body } = toRequest({ prompt: 'a fox', storyConfig: { characters } })
    const note = 'Characters: [{"name":"Fox","image":"https://cdn.example/fox.png"},{"name":"Owl"}]'
    assert.equal(body.directorNotes, note)
  })
})
