import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { fal } from '../../providers/fal/index.ts'
import type { Call, Outcome, Reply } from '../../providers/provider.ts'
import { quotePrice } from '../../src/catalogue/price.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import { falMock } from '../../src/sandbox/upstreams/fal.ts'
import { orderFor } from './fixtures.ts'
import { serveMock } from './serve-mock.ts'

const id = '019fd35a-7e1c-7b52-9d0a-3b7f5c1e2a44'
const prompt = 'A red kite'
const imageUrl = 'https://media.example/in/kite.png'

function mappingOf(model: string) {
  return fal.models[model] ?? assert.fail(`no endpoint for ${model}`)
}

describe('the protocol', () => {
  test('a callback gives back a task whose answer was lost, under the endpoint of the order', () => {
    const adopt = (body: unknown) => fal.adopt?.(body, orderFor(fal, { prompt }), mappingOf('kling-video'))
    const task = `/fal-ai/kling-video/requests/${id}`
    assert.deepEqual(adopt({ request_id: id, gateway_request_id: id, status: 'OK', payload: {} }), {
      phase: 'status',
      id,
      status: `${task}/status`,
      response: task,
      cancel: `${task}/cancel`,
    })
    for (const body of [
      undefined,
      '',
      {},
      { request_id: 7 },
      { request_id: '../../x' },
      { request_id: 'a/b' },
    ]) {
      assert.equal(adopt(body), undefined)
    }
  })

  test('an operator may replace an endpoint', () => {
    const mapping = {
      ...mappingOf('veo3-video'),
      endpoints: { text: 'fal-ai/veo3.1', image: 'fal-ai/veo3.1/image-to-video' },
    }
    assert.equal(fal.submit(mapping, orderFor(fal, { prompt })).path, '/fal-ai/veo3.1')
    const ticket = fal.adopt?.({ request_id: id }, orderFor(fal, { prompt }), mapping)
    assert.equal(ticket?.status, `/fal-ai/veo3.1/requests/${id}/status`)
  })

  test('a task whose addresses are too long to be stored is found by its ID', () => {
    const baseUrl = 'https://queue.fal.run'
    const task = `${baseUrl}/fal-ai/kling-video/requests/${id}`
    const token = `?token=${'x'.repeat(1000)}`
    const body = {
      request_id: id,
      status_url: `${task}/status${token}`,
      response_url: task + token,
      cancel_url: `${task}/cancel${token}`,
    }
    const reply: Reply = { status: 200, headers: {}, body, baseUrl }
    const outcome = fal.accept(reply, orderFor(fal, { prompt }))
    assert.ok(outcome.kind === 'running')
    assert.equal(outcome.ticket.status, `/fal-ai/kling-video/requests/${id}/status`)
    assert.ok(JSON.stringify(outcome.ticket).length < 1000)
  })

  test('the ticket says which address is next', () => {
    const ticket = {
      phase: 'status',
      id,
      status: '/a/b/requests/1/status',
      response: '/a/b/requests/1',
      cancel: '/a/b/c',
    }
    assert.deepEqual(fal.poll(ticket), { method: 'GET', path: '/a/b/requests/1/status' })
    assert.deepEqual(fal.poll({ ...ticket, phase: 'result' }), { method: 'GET', path: '/a/b/requests/1' })
    assert.deepEqual(fal.cancel?.(ticket), { method: 'PUT', path: '/a/b/c' })
  })

  test('small images travel inside the request, everything else is uploaded', () => {
    const mediaTransfer = (kind: 'image' | 'video' | 'audio', bytes: number) =>
      fal.mediaTransfer(mappingOf('veo3-video'), { kind, bytes, contentType: `${kind}/x`, filename: 'x' })
    assert.equal(mediaTransfer('image', 256 * 1024), 'inline')
    assert.equal(mediaTransfer('image', 256 * 1024 + 1), 'upload')
    assert.equal(mediaTransfer('video', 1), 'upload')
    assert.equal(mediaTransfer('audio', 1), 'upload')
  })

  test('an upload is begun under the key and with a short life', () => {
    const media = { kind: 'image', bytes: 4, contentType: 'image/png', filename: 'image.png' } as const
    assert.deepEqual(fal.upload?.call(media), {
      host: 'storage',
      method: 'POST',
      path: '/storage/upload/initiate?storage_type=fal-cdn-v3',
      headers: { 'x-fal-object-lifecycle': '{"expiration_duration_seconds":86400}' },
      json: { content_type: 'image/png', file_name: 'image.png' },
    })
  })
})

describe('against the mock', () => {
  const openFal = (t: TestContext) => serveMock(t, falMock, fal)
  type Upstream = Awaited<ReturnType<typeof openFal>>

  async function send({ baseUrl }: Upstream, call: Call): Promise<Reply> {
    const host = call.host ?? 'queue'
    const ours = call.path.startsWith('/')
    const request = { method: call.method, url: new URL('https://any.example'), headers: {}, body: '' }
    const signed = ours ? fal.hosts[host]?.sign(request, { FAL_KEY: 'id:secret' }, new Date(0)) : {}
    const response = await fetch(ours ? `${baseUrl(host)}${call.path}` : call.path, {
      method: call.method,
      headers: {
        ...call.headers,
        ...signed,
        ...(call.json !== undefined && { 'content-type': 'application/json' }),
      },
      ...(call.json !== undefined && { body: JSON.stringify(call.json) }),
      ...(call.media === 'body' && { body: new Uint8Array([137, 80, 78, 71]) }),
    })
    const headers = Object.fromEntries(response.headers)
    return { status: response.status, headers, body: await response.json(), baseUrl: baseUrl(host) }
  }

  async function submit(upstream: Upstream, body: Record<string, unknown>): Promise<Outcome> {
    const admitted = validateRequest(body)
    assert(admitted.ok)
    const order = orderFor(fal, admitted.input)
    return fal.accept(await send(upstream, fal.submit(mappingOf(admitted.model.id), order)), order)
  }

  /** Polls to the end, a quarter of a render between two polls that are not known to have the answer. */
  async function follow(upstream: Upstream, begun: Outcome) {
    const seen: string[] = []
    let outcome = begun
    while (outcome.kind === 'running' && seen.length < 20) {
      seen.push(`${outcome.stage}${outcome.now ? ', now' : ''}`)
      if (!outcome.now) upstream.clock.now += 250
      outcome = fal.read(await send(upstream, fal.poll(outcome.ticket)), outcome.ticket)
    }
    return { outcome, seen }
  }

  test('a job runs to its video', async (t) => {
    const upstream = await openFal(t)
    const { outcome, seen } = await follow(upstream, await submit(upstream, { model: 'kling-video', prompt }))
    assert.deepEqual(seen, ['queued', 'processing', 'processing', 'processing', 'processing, now'])
    const [task] = upstream.tasks.keys()
    assert.deepEqual(outcome, { kind: 'done', videos: [{ url: `${upstream.origin}/videos/${task}.mp4` }] })
  })

  for (const [word, code] of [
    ['fail', 'upstream_error'],
    ['refuse', 'content_policy'],
    ['invalid', 'invalid_input'],
    ['empty', 'no_result'],
  ] as const) {
    test(`sandbox:${word} ends with ${code}`, async (t) => {
      const upstream = await openFal(t)
      const begun = await submit(upstream, { model: 'veo3-video', prompt: `${prompt} sandbox:${word}` })
      const { outcome } = await follow(upstream, begun)
      assert.deepEqual('fault' in outcome && [outcome.kind, outcome.fault.code], ['failed', code])
    })
  }

  test('sandbox:hang goes on until it is canceled', async (t) => {
    const upstream = await openFal(t)
    const begun = await submit(upstream, { model: 'veo3-video', prompt: 'sandbox:hang' })
    const { outcome, seen } = await follow(upstream, begun)
    assert(outcome.kind === 'running' && fal.cancel !== undefined)
    assert.equal(seen.length, 20)
    assert.equal((await send(upstream, fal.cancel(outcome.ticket))).status, 202)
    const { outcome: end } = await follow(upstream, outcome)
    assert.deepEqual('fault' in end && [end.kind, end.fault.code], ['failed', 'canceled'])
  })

  test('a file is handed over in two calls, the second without the key', async (t) => {
    const upstream = await openFal(t)
    const media = { kind: 'image', bytes: 4, contentType: 'image/png', filename: 'image.png' } as const
    assert(fal.upload !== undefined)
    const begun = fal.upload.read(await send(upstream, fal.upload.call(media)), media)
    assert(begun.kind === 'next')
    assert.equal((await send(upstream, begun.call)).status, 200)
    assert.match(begun.url, /\/fal\/storage\/files\/[\w-]+\/image\.png$/)
  })

  test('every route says what it is for', async (t) => {
    const upstream = await openFal(t)
    const told = new Set(upstream.operations.values())
    assert.deepEqual(told, new Set(['upload', 'submit', 'poll', 'result', 'cancel']))
  })
})

describe('the models', () => {
  const problem = (body: Record<string, unknown>) => {
    const admitted = validateRequest({ prompt, ...body }, { handling: 'strict' })
    return admitted.ok ? undefined : admitted.problems[0].field
  }
  const usd = (body: Record<string, unknown>) => {
    const admitted = validateRequest({ prompt, ...body })
    assert(admitted.ok)
    return quotePrice(admitted.model, admitted.input).usd
  }

  test('what FAL cannot render is refused at once to strict callers', () => {
    assert.equal(problem({ model: 'veo2-video', duration: '30s' }), 'duration')
    assert.equal(problem({ model: 'veo2-video', aspect_ratio: '4:3' }), 'aspect_ratio')
    assert.equal(problem({ model: 'veo2-video', aspect_ratio: '1:1', imageUrl }), 'aspect_ratio')
    assert.equal(problem({ model: 'seedance-video', aspect_ratio: '9:21', imageUrl }), 'aspect_ratio')
    assert.equal(problem({ model: 'minimax-video', duration: '10' }), 'duration')
    assert.equal(problem({ model: 'hunyuan-video', resolution: '1080p' }), 'resolution')
    assert.equal(problem({ model: 'hunyuan-video', num_frames: 97 }), 'num_frames')
    assert.equal(problem({ model: 'hunyuan-video-image-to-video' }), 'image')
    assert.equal(problem({ model: 'wan-video-image-to-video', num_frames: 101, imageUrl }), 'num_frames')
  })

  test('the price follows length, resolution, sound and frames', () => {
    assert.equal(usd({ model: 'veo3-video', duration: '5' }), 1.2)
    assert.equal(usd({ model: 'veo3-video', generateAudio: true }), 3.2)
    assert.equal(usd({ model: 'veo3-fast-video', generateAudio: true }), 1.2)
    assert.equal(usd({ model: 'veo2-video', duration: 7 }), 3.5)
    assert.equal(usd({ model: 'wan-video-22', duration: 8, resolution: '480p' }), 0.32)
    assert.equal(usd({ model: 'wan-video-22-turbo', resolution: '580p' }), 0.075)
    assert.equal(usd({ model: 'wan-video-image-to-video', imageUrl }), 0.4)
    assert.equal(
      usd({ model: 'wan-video-image-to-video', imageUrl, num_frames: 90, resolution: '480p' }),
      0.25,
    )
    assert.equal(usd({ model: 'minimax-hailuo-02-pro' }), 0.48)
    assert.equal(usd({ model: 'kling-video-v2', duration: 10 }), 2.8)
    assert.equal(usd({ model: 'hunyuan-video', pro: true }), 0.8)
  })
})
