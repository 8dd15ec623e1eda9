import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createBodyBudget } from '../../../src/api/body/body-budget.ts'
import { defaultRequestLimits } from '../../../src/config/request-limits.ts'
import { asAlice, plainBody, startGateway, twoPeople } from '../gateway.ts'

type Reply = {
  status: number
  code?: string
  message?: string
  error?: { param: string | null }
  warnings?: string[]
}

async function post(app: FastifyInstance, body: unknown, url = '/api/generate-video'): Promise<Reply> {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const headers = { 'content-type': 'application/json' }
  const reply = await app.inject({ method: 'POST', url, headers, payload })
  return { ...reply.json(), status: reply.statusCode }
}

/** The same body below and above the size at which it is parsed as it arrives. */
const sizes = [
  { what: 'a small body', padding: '' },
  { what: 'a large body', padding: 'x'.repeat(70_000) },
]
/** An unused field. */
const padded = (body: Record<string, unknown>, padding: string) => ({ ...body, user: padding })

for (const { what, padding } of sizes)
  describe(`the texts of ${what}`, () => {
    for (const [name, unclean] of Object.entries({
      NUL: 'a \0boat',
      'an unpaired surrogate': 'a \ud83dboat',
      'the other half of a pair': 'a \udea3boat',
    })) {
      it(`lose ${name} in prose fields, with a warning`, async (t) => {
        const { app, engine } = await startGateway(t)
        const reply = await post(app, padded({ ...plainBody, prompt: unclean }, padding))
        assert.equal(reply.status, 202, reply.message)
        assert.equal(engine.requests[0]?.input.prompt, 'a boat')
        assert.match(
          reply.warnings?.join() ?? '',
          /`prompt` has characters that are no text.*they were removed/,
        )
      })

      it(`are rejected with ${name} in other fields`, async (t) => {
        const { app, engine } = await startGateway(t)
        for (const [field, value] of Object.entries({
          model: `veo2-video${unclean}`,
          conversationUUID: unclean,
          image: `https://a.example/${unclean}`,
          webhookUrl: `https://a.example/${unclean}`,
          aspect_ratio: unclean,
          strange: [{ deep: unclean }],
        })) {
          const reply = await post(app, padded({ ...plainBody, [field]: value }, padding))
          assert.deepEqual([reply.status, reply.error?.param], [400, field], reply.message)
          assert.match(reply.message ?? '', /must not contain NUL characters or unpaired surrogates/)
        }
        const reply = await post(app, padded({ ...plainBody, [unclean]: 1 }, padding))
        assert.deepEqual([reply.status, reply.code], [400, 'invalid_parameter_value'])
        assert.equal(engine.requests.length, 0)
      })
    }

    it('are cleaned in a story, except for its links', async (t) => {
      const { app, engine } = await startGateway(t)
      const story = (character: object) => ({
        model: 'longstories-movie',
        prompt: 'a film',
        storyConfig: { script: 'Once\0 upon a time', characters: [character] },
      })
      assert.equal((await post(app, padded(story({ name: 'Ann\ud800' }), padding))).status, 202)
      assert.deepEqual(engine.requests[0]?.input.storyConfig, {
        script: 'Once upon a time',
        characters: [{ name: 'Ann' }],
      })
      const wrong = await post(app, padded(story({ image: 'https://a.example/\0' }), padding))
      assert.deepEqual([wrong.status, wrong.error?.param], [400, 'storyConfig'])
    })

    it('can contain surrogate pairs', async (t) => {
      const { app, engine } = await startGateway(t)
      await post(app, padded({ ...plainBody, prompt: 'a boat 🚣' }, padding))
      assert.equal(engine.requests[0]?.input.prompt, 'a boat 🚣')
    })

    it('are UTF-8', async (t) => {
      const { app } = await startGateway(t)
      const text = JSON.stringify(padded({ ...plainBody, prompt: 'caf#' }, padding))
      const reply = await post(app, Buffer.from(text.replace('#', '\xe9'), 'latin1'))
      assert.deepEqual([reply.status, reply.message], [400, 'The body is not valid UTF-8'])
    })

    it('cannot change a prototype', async (t) => {
      const { app } = await startGateway(t)
      const text = JSON.stringify(padded(plainBody, padding)).slice(1)
      for (const key of ['"__proto__":{"x":1}', '"constructor":{"prototype":{}}', '"a":{"__proto__":1}'])
        assert.equal((await post(app, `{${key},${text}`)).code, 'invalid_json', key)
      assert.equal((await post(app, `{"constructor":"x",${text}`)).status, 202)
    })

    it('keep a number as it was sent', async (t) => {
      const { app } = await startGateway(t)
      let seen: unknown
      app.addHook('preHandler', async ({ body }) => {
        seen = body
      })
      const text = JSON.stringify(padded(plainBody, padding)).slice(1)
      await post(app, `{"seed":9007199254740993,"n":7,${text}`)
      assert.equal(Reflect.get(Object(seen), 'seed'), '9007199254740993')
      assert.equal(Reflect.get(Object(seen), 'n'), 7)
      await post(app, `{"seed":1e400,${text}`)
      assert.equal(Reflect.get(Object(seen), 'seed'), '1e400')
    })

    it('have a limited number and depth of values', async (t) => {
      const { app } = await startGateway(t)
      const many = await post(app, padded({ ...plainBody, x: Array(10_000).fill('') }, padding))
      assert.deepEqual([many.status, many.message], [400, 'The body has more than 10000 values'])
      const deep = await post(
        app,
        padded({ ...plainBody, x: JSON.parse('['.repeat(64) + ']'.repeat(64)) }, padding),
      )
      assert.deepEqual([deep.status, deep.message], [400, 'The body is nested deeper than 64 levels'])
      const fits = await post(
        app,
        padded({ ...plainBody, x: JSON.parse('['.repeat(63) + ']'.repeat(63)) }, padding),
      )
      assert.equal(fits.status, 202)
    })
  })

describe('the size of a body', () => {
  it('is limited without its files', async (t) => {
    const { app } = await startGateway(t, { config: { bodyLimitBytes: 8_000_000 } })
    const reply = await post(app, { ...plainBody, strange: 'x'.repeat(1_100_000) })
    assert.deepEqual([reply.status, reply.code, reply.error?.param], [413, 'payload_too_large', 'strange'])
    assert.match(reply.message ?? '', /larger than 1024 kB, not counting files in media fields/)
    const image = `data:image/png;base64,${'AAAA'.repeat(500_000)}`
    assert.notEqual((await post(app, { ...plainBody, image })).status, 413)
  })

  it('cannot contain more files than the limit', async (t) => {
    const { app } = await startGateway(t, { config: { bodyLimitBytes: 8_000_000 } })
    const file = `data:image/png;base64,${'AAAA'.repeat(2500)}`
    const reply = await post(app, { ...plainBody, referenceImages: Array(65).fill(file) })
    assert.deepEqual([reply.status, reply.message], [413, 'The body has more than 64 files'])
    assert.equal((await post(app, { ...plainBody, referenceImages: Array(64).fill(file) })).status, 202)
  })

  it('has a small limit without authentication, and is rejected unread', async (t) => {
    const secret = 'right'
    const { app } = await startGateway(t, {
      authenticator: twoPeople,
      config: { bodyLimitBytes: 8_000_000 },
      isCallbackAddress: async (_id, given) => given === secret,
      receiveCallback: async () => true,
    })
    const body = (bytes: number) => `{"x":"${'x'.repeat(bytes - 8)}"}`
    assert.equal((await post(app, body(65_536), `/hooks/vid_1/${secret}`)).status, 200)
    const large = await post(app, body(65_537), `/hooks/vid_1/${secret}`)
    assert.deepEqual([large.status, large.message], [413, 'The body is larger than 65536 bytes'])
    assert.equal((await post(app, body(100_000), '/hooks/vid_1/wrong')).status, 404)
    assert.equal((await post(app, '{', '/hooks/vid_1/wrong')).status, 404)
    assert.equal((await post(app, '{', '/api/generate-video')).status, 401)
    const unclean = await post(app, { text: 'a\0b' }, `/hooks/vid_1/${secret}`)
    assert.equal(unclean.status, 200)
    const headers = { ...asAlice, 'content-type': 'application/json' }
    const own = await app.inject({ method: 'POST', url: '/api/price', headers, payload: body(100_000) })
    assert.notEqual(own.statusCode, 413)
  })

  it('is limited over all concurrent requests', async (t) => {
    const allBodies = { memoryBytes: 300_000, totalBytes: 300_000 }
    const { app } = await startGateway(t, {
      config: { bodyLimitBytes: 8_000_000, requestLimits: { ...defaultRequestLimits, allBodies } },
    })
    const image = `data:image/png;base64,${'AAAA'.repeat(100_000)}`
    const headers = { 'content-type': 'application/json' }
    const send = (body: unknown) =>
      app.inject({ method: 'POST', url: '/api/price', headers, payload: JSON.stringify(body) })
    const reply = await send({ ...plainBody, image })
    assert.deepEqual([reply.statusCode, reply.headers['retry-after']], [503, '1'])
    assert.equal(app.bodyDeps.budget.inUse().memoryBytes, 0)
    for (let round = 0; round < 5; round += 1) {
      assert.equal((await send(padded(plainBody, 'x'.repeat(70_000)))).statusCode, 200)
      assert.equal((await send(plainBody)).statusCode, 200)
    }
    assert.deepEqual(app.bodyDeps.budget.inUse(), { memoryBytes: 0, totalBytes: 0 })
  })

  it('releases the memory of a request once', () => {
    const budget = createBodyBudget({ memoryBytes: 10, totalBytes: 20 })
    const [first, second] = [budget.reserve(), budget.reserve()]
    first.addMemory(6)
    assert.throws(() => second.addMemory(5), { status: 503, code: 'service_unavailable' })
    second.addMemory(4)
    first.addBody(20)
    assert.throws(() => second.addBody(1), { status: 503 })
    first.release()
    first.release()
    assert.deepEqual(budget.inUse(), { memoryBytes: 4, totalBytes: 0 })
  })
})

it('a query string with NUL is rejected', async (t) => {
  const { app } = await startGateway(t)
  for (const [query, param] of [
    ['model=a%00b', 'model'],
    ['cursor=%00', 'cursor'],
    ['a=1&a=%00', 'a'],
    ['x%00y=1', 'x\0y'],
  ]) {
    const reply = await app.inject(`/api/jobs?${query}`)
    assert.deepEqual([reply.statusCode, reply.json().error.param], [400, param])
  }
  assert.equal((await app.inject('/api/jobs?model=veo2-video')).statusCode, 200)
})
