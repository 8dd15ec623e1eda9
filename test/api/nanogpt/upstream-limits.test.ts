import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { providers } from '../../../providers/index.ts'
import { createRouting } from '../../../src/upstreams/routing.ts'
import { configOf } from '../../providers/mock-upstreams.ts'
import { startGateway } from '../gateway.ts'

const image = 'https://media.example/still.png'
const prompt = 'A red kite over the bay'

/** A gateway that has the keys of these upstreams. */
async function start(t: TestContext, ...keyed: string[]) {
  const routing = createRouting({ providers, upstreams: configOf(keyed) as never, canFetchLinks: true })
  const { app, engine } = await startGateway(t, { routing: { ...routing, sandbox: false } })
  return {
    engine,
    /** Sends a raw body, so that numbers are not rounded. */
    async post(body: string | object, headers: Record<string, string> = {}) {
      const reply = await app.inject({
        method: 'POST',
        url: '/api/generate-video',
        headers: { 'content-type': 'application/json', ...headers },
        payload: typeof body === 'string' ? body : JSON.stringify(body),
      })
      const { warnings = [], error } = reply.json<{ warnings?: string[]; error?: { message: string } }>()
      return { status: reply.statusCode, warnings: warnings.join('\n'), message: error?.message ?? '' }
    },
  }
}

describe('a seed outside the range of the upstream', () => {
  const models = Object.entries({
    'veo3-1-video': {},
    'bytedance-waver-1.0': { image },
    'bytedance-seedance-v1-pro-fast': {},
    'wan-wavespeed-s2v': { image, audio: 'https://media.example/speech.mp3' },
    'wan-wavespeed-video-edit': { video: 'https://media.example/clip.mp4' },
    'wan-wavespeed-22-spicy-extend': { video: 'https://media.example/clip.mp4' },
    'wan-wavespeed-22-plus': {},
    'wan-wavespeed-22-animate': { image, video: 'https://media.example/clip.mp4' },
    'wan-wavespeed-25': {},
  })

  it('is mapped into the range, always to the same value, with a warning', async (t) => {
    const { post, engine } = await start(t, 'wavespeed')
    for (const [model, inputs] of models) {
      for (const _ of [1, 2]) {
        const { status, warnings } = await post({
          model,
          prompt,
          ...inputs,
          aspect_ratio: '16:9',
          seed: 4294967295,
        })
        assert.equal(status, 202, model)
        assert.match(warnings, /`seed` 4294967295 was replaced by 2147483647, .* take 0 to 2147483647/)
        assert.equal(engine.requests.at(-1)?.input.seed, 2147483647)
      }
    }
  })

  it('is sent unchanged to an upstream that supports it', async (t) => {
    const { post, engine } = await start(t, 'wavespeed', 'bytedance', 'fal')
    const { status, warnings } = await post({
      model: 'bytedance-seedance-v1-pro-fast',
      prompt,
      seed: 4294967295,
    })
    assert.deepEqual([status, warnings], [202, ''])
    assert.deepEqual(engine.requests[0]?.route, ['bytedance', 'fal'])
    assert.equal(engine.requests[0]?.input.seed, 4294967295)
  })

  it('is mapped into a range that starts at 1', async (t) => {
    const { post, engine } = await start(t, 'runware')
    assert.equal((await post({ model: 'vidu-video', prompt, seed: 0 })).status, 202)
    assert.equal(engine.requests[0]?.input.seed, 1)
  })

  it('of 64 bits is read digit by digit, as a number and as a text', async (t) => {
    const { post, engine } = await start(t, 'fal')
    for (const seed of ['9007199254740993', '"9007199254740993"', '18446744073709551615']) {
      const { status, warnings } = await post(`{"model":"veo2-video","prompt":"${prompt}","seed":${seed}}`)
      assert.equal(status, 202)
      assert.match(warnings, new RegExp(`\`seed\`.*${seed.replaceAll('"', '')}`))
    }
    assert.deepEqual(
      engine.requests.map(({ input }) => input.seed),
      [1, 1, 2147483647],
    )
  })

  it('is an error that quotes the value if it is not a seed', async (t) => {
    const { post } = await start(t, 'fal')
    for (const seed of ['-9007199254740993', '18446744073709551616', '1e400', '0.5', '-2']) {
      const { status, message } = await post(`{"model":"veo2-video","prompt":"${prompt}","seed":${seed}}`)
      assert.equal(status, 400)
      assert.ok(message.includes('`seed`') && message.includes(seed), message)
    }
  })
})

it('other numbers above 2^53 are quoted as they were sent', async (t) => {
  const { post } = await start(t, 'fal')
  const { status, warnings, message } = await post(
    `{"model":"wan-video-22-5b","prompt":"${prompt}","num_frames":9007199254740993}`,
  )
  assert.match(`${status} ${warnings}${message}`, /9007199254740993/)
  assert.doesNotMatch(warnings + message, /9007199254740992/)
})

describe('a value that the upstream does not support', () => {
  it('is sent to an upstream that supports it', async (t) => {
    const { post, engine } = await start(t, 'runware', 'fal')
    assert.equal((await post({ model: 'kling-v21-master', prompt: 'x' })).status, 202)
    assert.equal((await post({ model: 'pixverse-v45', prompt: 'é'.repeat(1500) })).status, 202)
    const camera = { image, cameraMovement: 'auto_camera' }
    assert.equal((await post({ model: 'pixverse-v45', prompt, ...camera })).status, 202)
    assert.deepEqual(
      engine.requests.map(({ route }) => route),
      [['fal'], ['runware'], ['runware']],
    )
  })

  it('is a 400 that names the field and the allowed values if no upstream supports it', async (t) => {
    const runware = await start(t, 'runware')
    for (const [field, body] of [
      ['prompt', { prompt: 'x' }],
      ['negative_prompt', { prompt, negative_prompt: 'x' }],
    ] as const) {
      const { status, message } = await runware.post({ model: 'kling-v21-master', ...body })
      assert.equal(status, 400)
      assert.match(message, new RegExp(`\`${field}\` must be from 2 to 2500 characters`))
    }
  })

  it('becomes the closest allowed value, or an error with strict handling', async (t) => {
    const { post, engine } = await start(t, 'fal')
    const body = { model: 'pixverse-v45', prompt, image, cameraMovement: 'auto_camera' }
    const lenient = await post(body)
    assert.equal(lenient.status, 202)
    assert.match(lenient.warnings, /`cameraMovement` .*auto_camera/)
    assert.notEqual(engine.requests[0]?.input.cameraMovement, 'auto_camera')
    const strict = await post(body, { prefer: 'handling=strict' })
    assert.equal(strict.status, 400)
    assert.match(strict.message, /`cameraMovement` must be one of horizontal_left, /)
  })

  it('is not mapped with strict handling', async (t) => {
    const { post } = await start(t, 'wavespeed')
    const body = { model: 'veo3-1-video', prompt, seed: 2147483648 }
    const strict = await post(body, { prefer: 'handling=strict' })
    assert.equal(strict.status, 400)
    assert.match(strict.message, /`seed` must be from -1 to 2147483647 for WaveSpeed; got 2147483648/)
  })
})
