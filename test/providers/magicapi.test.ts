import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { magicapi } from '../../providers/magicapi/index.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import { magicapiMock } from '../../src/sandbox/upstreams/magicapi.ts'
import { orderFor } from './fixtures.ts'
import { startMock } from './mock-upstream.ts'

const open = (t: TestContext, key = 'fake') =>
  startMock(t, magicapiMock, magicapi, { credentials: { MAGICAPI_KEY: key } })

function orderOf(flavor: string, extra: Readonly<Record<string, unknown>> = {}) {
  const admitted = validateRequest({
    model: 'magicapi-video-face-swap',
    swapImage: 'https://media.example/face.jpg',
    targetVideo: 'https://media.example/clip.mp4',
    ...extra,
  })
  assert(admitted.ok, JSON.stringify(admitted))
  const mapping = magicapi.models[admitted.model.id]
  assert(mapping !== undefined)
  const order = orderFor(magicapi, admitted.input, { settings: { MAGICAPI_FLAVOR: flavor } })
  return { order, mapping, call: magicapi.submit(mapping, order) }
}

for (const flavor of ['v3', 'v2', 'capix']) {
  test(`${flavor} runs a job to its end`, async (t) => {
    const { clock, send } = await open(t)
    const { order, call } = orderOf(flavor, { targetFaceIndex: 1 })
    const accepted = magicapi.accept(await send(call), order)
    assert(accepted.kind === 'running')
    let { ticket } = accepted
    const kinds: string[] = []
    for (let polls = 0; polls < 3; polls += 1) {
      const outcome = magicapi.read(await send(magicapi.poll(ticket)), ticket)
      kinds.push(outcome.kind)
      if (outcome.kind === 'running') ticket = outcome.ticket
      if (outcome.kind === 'done') assert.match(outcome.videos[0].url, /\/videos\/.+\.mp4$/)
      clock.now += 500
    }
    assert.deepEqual(kinds, ['running', 'running', 'done'])
  })

  test(`${flavor} tells what went wrong`, async (t) => {
    const { clock, send } = await open(t)
    const endOf = async (word: string) => {
      const { order, call } = orderOf(flavor, { swapImage: `https://media.example/sandbox:${word}.jpg` })
      const accepted = magicapi.accept(await send(call), order)
      if (accepted.kind === 'failed') return accepted.fault.code
      assert(accepted.kind === 'running')
      clock.now += 1000
      const outcome = magicapi.read(await send(magicapi.poll(accepted.ticket)), accepted.ticket)
      return outcome.kind === 'failed' ? outcome.fault.code : outcome.kind
    }
    assert.equal(await endOf('fail'), 'upstream_error')
    assert.equal(await endOf('refuse'), 'content_policy')
    assert.equal(await endOf('invalid'), 'invalid_input')
    assert.equal(await endOf('hang'), 'running')
  })

  test(`${flavor} wants a key and public links`, async (t) => {
    const codeOf = async (extra: Readonly<Record<string, unknown>>, key?: string) => {
      const { send, tasks } = await open(t, key)
      const { order, call } = orderOf(flavor, extra)
      const outcome = magicapi.accept(await send(call), order)
      assert.equal(tasks.size, 0)
      return outcome.kind === 'failed' ? outcome.fault.code : outcome.kind
    }
    assert.equal(await codeOf({}, ''), 'bad_credentials')
    assert.equal(await codeOf({ swapImage: 'data:image/png;base64,iVBORw0KGgo=' }), 'invalid_input')
  })
}

test('capix takes a form, and the first face where none is told', () => {
  const form = { target_url: 'https://media.example/clip.mp4', swap_url: 'https://media.example/face.jpg' }
  const path = '/api/v1/magicapi/faceswap-capix/video/run'
  for (const [asked, index] of [
    [{}, '0'],
    [{ targetFaceIndex: -1 }, '0'],
    [{ targetFaceIndex: 3 }, '3'],
  ] as const) {
    assert.deepEqual(orderOf('capix', asked).call, {
      method: 'POST',
      path,
      form: { ...form, target_face_index: index },
    })
  }
})

test('v3 asks both status paths while neither knows the task, and does not judge it lost', async (t) => {
  const { send } = await open(t)
  const paths = ['status', 'video/status'].map((path) => `/api/v1/magicapi/faceswap-video-v3/${path}/nobody`)
  // A ticket that the version before turned to the second path, too.
  for (const [before, expected] of [
    [{}, paths],
    [{ detour: true, misses: 5 }, paths.toReversed()],
  ] as const) {
    const unknown = { flavor: 'v3', task: 'nobody', ...before }
    const first = magicapi.read(await send(magicapi.poll(unknown)), unknown)
    assert(first.kind === 'running' && first.now === true)
    const polled = [unknown, first.ticket].map((ticket) => magicapi.poll(ticket).path)
    assert.deepEqual(polled, expected)
    const second = magicapi.read(await send(magicapi.poll(first.ticket)), first.ticket)
    assert(second.kind === 'unclear')
    assert.equal(second.fault.code, 'task_lost')
  }
})

test('v3 stays on the status path that knows the task', () => {
  const known = {
    status: 200,
    headers: {},
    body: { status: 'IN_PROGRESS' },
    baseUrl: 'https://prod.api.market',
  }
  const outcome = magicapi.read(known, { flavor: 'v3', task: 'somebody', detour: true, second: true })
  assert(outcome.kind === 'running')
  assert.deepEqual(outcome.ticket, { flavor: 'v3', task: 'somebody', detour: true, seen: true })
})

test('media are always handed over as links', () => {
  const { mapping } = orderOf('v3')
  const media = { kind: 'image', contentType: 'image/png', bytes: 10, filename: 'a.png' } as const
  assert.equal(magicapi.mediaTransfer(mapping, media), 'link')
})
