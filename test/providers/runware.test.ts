import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { JsonObject } from '../../providers/input.ts'
import type { Media } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import { findTaskViolations } from '../../providers/runware/validation.ts'
import { quotePrice } from '../../src/catalogue/price.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import { runwareMock } from '../../src/sandbox/upstreams/runware.ts'
import { orderFor, readFixture } from './fixtures.ts'
import { startMock } from './mock-upstream.ts'

const imageUrl = 'https://media.example/still.png'

function asked(request: Readonly<Record<string, unknown>>) {
  const admitted = validateRequest(request)
  assert(admitted.ok, JSON.stringify(admitted))
  const mapping = runware.models[admitted.model.id]
  assert(mapping !== undefined, `no endpoint for ${admitted.model.id}`)
  return { ...admitted, mapping, order: orderFor(runware, admitted.input) }
}

function refused(request: Readonly<Record<string, unknown>>): string {
  const admitted = validateRequest(request, { handling: 'strict' })
  assert(!admitted.ok, 'it was admitted')
  return admitted.problems[0].message
}

const open = (t: TestContext) => startMock(t, runwareMock, runware)

test('a job runs from the submit to its video', async (t) => {
  const { send, clock, origin } = await open(t)
  const { mapping, order } = asked({ model: 'kling-v21-master', prompt: 'A lighthouse' })
  const accepted = runware.accept(await send(runware.submit(mapping, order)), order)
  assert.equal(accepted.kind, 'running')
  const ticket = { taskUUID: order.attempt }
  const look = async () => runware.read(await send(runware.poll(ticket)), ticket)
  clock.now += 500
  assert.deepEqual(await look(), { kind: 'running', ticket, stage: 'processing', progress: 50 })
  clock.now += 500
  const url = `${origin}/videos/${order.attempt}.mp4`
  assert.deepEqual(await look(), { kind: 'done', videos: [{ url }], costUsd: 0.924 })
})

test('after a lost answer the attempt is found, and sending it again buys nothing', async (t) => {
  const { send, clock } = await open(t)
  const { mapping, order } = asked({ model: 'pixverse-v5', prompt: 'A lighthouse' })
  const { find } = runware
  assert(find !== undefined)
  const look = async () => find.read(await send(find.call(mapping, order)), order, mapping)
  assert.deepEqual(await look(), { kind: 'absent' })
  await send(runware.submit(mapping, order))
  assert.equal((await look()).kind, 'running')
  assert.equal(find.safeToResend, true)
  const again = runware.accept(await send(runware.submit(mapping, order)), order)
  assert.deepEqual(again, { kind: 'running', ticket: { taskUUID: order.attempt }, stage: 'queued' })
  clock.now += 1000
  assert.equal((await look()).kind, 'done')
})

test('the mock, written from the reference, takes every call of the fixtures', () => {
  const fixtures = readFixture<readonly { name: string; call?: { json: [JsonObject] } }[]>(
    'runware',
    'calls.json',
  )
  const found = fixtures.flatMap(({ name, call }) => {
    const violation = call === undefined ? undefined : findTaskViolations(call.json[0])[0]
    return violation === undefined ? [] : [{ name, violation }]
  })
  assert.deepEqual(found, [])
})

test('an endpoint that the operator replaced is the one that is asked', () => {
  const { mapping, order } = asked({ model: 'vidu-video', prompt: 'A lighthouse' })
  const { json } = runware.submit({ ...mapping, endpoints: { any: 'vidu:3@2' } }, order)
  assert.equal((json as readonly JsonObject[])[0]?.model, 'vidu:3@2')
})

test('a callback is known by our own id, flat or wrapped', () => {
  const { order } = asked({ model: 'vidu-video', prompt: 'A lighthouse' })
  const taskUUID = order.attempt
  const { mapping } = asked({ model: 'vidu-video', prompt: 'A lighthouse' })
  for (const body of [{ taskUUID }, { data: [{ taskUUID }] }, { data: [], errors: [{ taskUUID }] }]) {
    assert.deepEqual(runware.adopt?.(body, order, mapping), { taskUUID })
  }
  for (const body of [
    undefined,
    null,
    '',
    [],
    {},
    { data: [] },
    { taskUUID: 'another' },
    { data: taskUUID },
  ]) {
    assert.equal(runware.adopt?.(body, order, mapping), undefined)
  }
})

test('images and sound travel inside the request, a video only as a link', () => {
  const { mapping } = asked({ model: 'vidu-video', prompt: 'A lighthouse' })
  const media = (kind: Media['kind']): Media => ({ kind, contentType: `${kind}/x`, bytes: 1, filename: 'x' })
  assert.deepEqual(
    (['image', 'audio', 'video'] as const).map((kind) => runware.mediaTransfer(mapping, media(kind))),
    ['inline', 'inline', 'link'],
  )
})

describe('the models of Runware', () => {
  test('a seed that Kling 2.1 has no field for is said to be ignored', () => {
    const { warnings } = asked({ model: 'kling-v21-pro', prompt: 'A lighthouse', seed: 42 })
    assert.deepEqual(warnings, ['`seed` is not used by `kling-v21-pro` and was ignored'])
  })

  test('Kling 2.1 Standard renders 5 s from an image', () => {
    const base = { model: 'kling-v21-standard', prompt: 'A lighthouse' }
    assert.match(refused(base), /^`image` is required/)
    assert.match(refused({ ...base, imageUrl, duration: '10' }), /^`duration` must be one of 5;/)
  })

  test('words alone cost what Kling 2.1 Master costs', () => {
    const usd = (request: JsonObject) => {
      const { model, input } = asked({ prompt: 'A lighthouse', ...request })
      return quotePrice(model, input).usd
    }
    assert.equal(usd({ model: 'kling-v21-pro', imageUrl }), 0.3234)
    assert.equal(usd({ model: 'kling-v21-pro', imageUrl, duration: 10 }), 0.6468)
    assert.equal(usd({ model: 'kling-v21-pro' }), 0.924)
    assert.equal(usd({ model: 'kling-v21-master' }), 0.924)
    assert.equal(usd({ model: 'kling-v21-master', imageUrl }), 0.924)
    assert.equal(usd({ model: 'kling-v21-standard', imageUrl }), 0.185)
    assert.equal(usd({ model: 'vidu-video' }), 0.22)
    assert.equal(usd({ model: 'pixverse-v5', size: '1920x1080' }), 0.299)
  })

  test('Vidu has one length, and a style only without an image', () => {
    const { input, warnings } = asked({
      model: 'vidu-video',
      prompt: 'A lighthouse',
      imageUrl,
      duration: 8,
      style: 'anime',
    })
    assert.deepEqual([input.duration, input.style], [5, undefined])
    assert.equal(warnings.length, 2)
  })

  for (const model of ['pixverse-v45', 'pixverse-v5']) {
    test(`${model} refuses what PixVerse would silently render another way`, () => {
      const base = { model, prompt: 'A lighthouse' }
      const fast = { ...base, motionMode: 'fast' }
      assert.match(refused({ ...fast, duration: 8 }), /^`motionMode` fast/)
      assert.match(refused({ ...fast, size: '1440x1080' }), /^`motionMode` fast/)
      assert.match(refused({ ...fast, resolution: '1080p' }), /^`motionMode` fast/)
      assert.match(refused({ ...base, size: '1280x720', resolution: '1080p' }), /contradicts/)
      assert.match(refused({ ...base, effect: 'kiss kiss', cameraMovement: 'zoom_in' }), /exclude each other/)
      assert.match(refused({ ...base, size: '1000x1000' }), /^`size` must be one of/)
      assert.equal(validateRequest({ ...fast, size: '1280x720', resolution: '720p' }).ok, true)
    })
  }
})
