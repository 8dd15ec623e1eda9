import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createByteDance } from '@ai-sdk/bytedance'
import { bytedance } from '../../providers/bytedance/index.ts'
import type { Call } from '../../providers/provider.ts'
import { bytedanceMock } from '../../src/sandbox/upstreams/bytedance.ts'
import { avatar, kite, orderOf } from './bytedance-order.ts'
import { serveMock } from './serve-mock.ts'

const model = 'seedance-1-0-pro-fast-251015'

/** ByteDance's mocks, and the AI SDK's client of one. */
async function open(t: TestContext) {
  const { tasks, clock, baseUrl: baseUrlOf } = await serveMock(t, bytedanceMock, bytedance)

  /** Sends a call of ours as the gateway's transport would. */
  async function send(call: Call, spoil: { body?: string; unsigned?: true } = {}) {
    const host = bytedance.hosts[call.host ?? '']
    assert(host !== undefined)
    const baseUrl = baseUrlOf(call.host ?? '')
    const url = new URL(baseUrl + call.path)
    const body = call.json === undefined ? '' : JSON.stringify(call.json)
    const credentials = { ARK_API_KEY: 'fake', VOLC_ACCESS_KEY: 'fake', VOLC_SECRET_KEY: 'fake' }
    const proof = host.sign({ method: call.method, url, headers: {}, body }, credentials, new Date(clock.now))
    const sent = spoil.body ?? body
    const answer = await fetch(url, {
      method: call.method,
      headers: {
        ...(sent !== '' && { 'content-type': 'application/json' }),
        ...(spoil.unsigned === undefined && proof),
      },
      ...(sent !== '' && { body: sent }),
    })
    return { status: answer.status, headers: {}, body: await answer.json(), baseUrl }
  }

  const client = createByteDance({ apiKey: 'fake', baseURL: baseUrlOf('ark') })
  return { tasks, clock, send, client }
}

async function ask(
  client: ReturnType<typeof createByteDance>,
  prompt: string,
  extra: object = {},
  changes: { model?: string; duration?: number; image?: string } = {},
) {
  const { model: id = model, duration = 5, image } = changes
  return client.video(id).doGenerate({
    prompt,
    n: 1,
    aspectRatio: '16:9',
    resolution: '1248x704',
    duration,
    fps: undefined,
    seed: 7,
    image: image === undefined ? undefined : { type: 'url', url: image },
    frameImages: undefined,
    inputReferences: undefined,
    generateAudio: undefined,
    providerOptions: { bytedance: { pollIntervalMs: 1, watermark: false, ...extra } },
  })
}

test("the AI SDK's client runs a task to its end", async (t) => {
  const { client, clock, tasks } = await open(t)
  clock.tick = 300
  const { videos } = await ask(client, 'A kite')
  const [task] = tasks.values()
  assert.match(task?.id ?? '', /^cgt-/)
  assert.equal(videos[0]?.type, 'url')
  assert.match(JSON.stringify(videos[0]), new RegExp(`/videos/${task?.id}\\.mp4`))
})

test("the AI SDK's client runs every model that it names, with what each of them takes", async (t) => {
  const { client, clock, tasks } = await open(t)
  clock.tick = 300
  const image = 'https://media.example/a.png'
  const lastFrameImage = image
  for (const [id, extra, changes] of [
    ['seedance-1-0-pro-250528', { lastFrameImage }, { image }],
    ['seedance-1-0-lite-t2v-250428', { serviceTier: 'flex' }, {}],
    ['seedance-1-0-lite-i2v-250428', { referenceImages: [image, image] }, {}],
    [
      'seedance-1-5-pro-251215',
      { generateAudio: true, lastFrameImage, draft: true },
      { image, duration: 12 },
    ],
    [
      'dreamina-seedance-2-0-260128',
      { generateAudio: true, referenceImages: [image], referenceVideos: ['https://media.example/a.mp4'] },
      { duration: 15 },
    ],
    ['dreamina-seedance-2-0-fast-260128', { referenceAudio: ['https://media.example/a.mp3'] }, {}],
  ] as const) {
    const { videos } = await ask(client, 'A kite', extra, { model: id, ...changes })
    assert.equal(videos[0]?.type, 'url', id)
  }
  assert.equal(tasks.size, 6)
  await assert.rejects(ask(client, 'A kite', {}, { model: 'seedance-9-0-pro-991231' }), /does not exist/)
})

test("the AI SDK's client is refused: content, a field that the model does not take, a task that fails", async (t) => {
  const { client, clock, tasks } = await open(t)
  clock.tick = 300
  await assert.rejects(ask(client, 'sandbox:refuse'), /may contain sensitive information/)
  await assert.rejects(ask(client, 'A kite', { generateAudio: true }), /`generate_audio` .* not valid/)
  await assert.rejects(ask(client, 'A kite', { frames: 30 }), /`frames` .* not valid/)
  assert.equal(tasks.size, 0)
  await assert.rejects(ask(client, 'sandbox:fail'), /"status":"failed"/)
})

test('our own calls run a Seedance task, and find it again when the answer is lost', async (t) => {
  const { send, clock } = await open(t)
  const { mapping, order, call } = orderOf(kite)
  const accepted = bytedance.accept(await send(call), order)
  assert(accepted.kind === 'running')
  const { find } = bytedance
  assert(find !== undefined)
  const found = find.read(await send(find.call(mapping, order)), order, mapping)
  assert(found.kind === 'candidates')
  assert.deepEqual(
    found.tasks.map(({ ticket }) => ticket),
    [accepted.ticket],
  )
  const another = { ...order, attempt: '00000000-0000-4000-8000-000000000002' }
  const none = find.read(await send(find.call(mapping, another)), another, mapping)
  assert.deepEqual(none, { kind: 'candidates', tasks: [], same: false })

  const stages: string[] = []
  for (let polls = 0; polls < 3; polls += 1) {
    const outcome = bytedance.read(await send(bytedance.poll(accepted.ticket)), accepted.ticket)
    stages.push(outcome.kind === 'running' ? outcome.stage : outcome.kind)
    clock.now += 500
  }
  assert.deepEqual(stages, ['queued', 'processing', 'done'])
})

test('a waiting Seedance task is canceled, a running one goes on, an ended one is forgotten', async (t) => {
  const { send, clock } = await open(t)
  const { cancel } = bytedance
  assert(cancel !== undefined)
  const start = async () => {
    const { order, call } = orderOf(kite)
    const accepted = bytedance.accept(await send(call), order)
    assert(accepted.kind === 'running')
    return accepted.ticket
  }
  const fateOf = async (ticket: Awaited<ReturnType<typeof start>>) => {
    const outcome = bytedance.read(await send(bytedance.poll(ticket)), ticket)
    return 'fault' in outcome ? outcome.fault.code : outcome.kind
  }

  const waiting = await start()
  await send(cancel(waiting))
  assert.equal(await fateOf(waiting), 'canceled')

  const running = await start()
  clock.now += 500
  assert.equal((await send(cancel(running))).status, 409)
  clock.now += 500
  assert.equal(await fateOf(running), 'done')

  await send(cancel(running))
  assert.equal(await fateOf(running), 'task_lost')
})

test('our own calls run and cancel an OmniHuman task', async (t) => {
  const { send, clock } = await open(t)
  const { order, call } = orderOf({ ...avatar, prompt: 'She smiles' })
  const accepted = bytedance.accept(await send(call), order)
  assert(accepted.kind === 'running')
  const poll = async () => bytedance.read(await send(bytedance.poll(accepted.ticket)), accepted.ticket)
  assert.equal((await poll()).kind, 'running')
  clock.now += 1000
  assert.equal((await poll()).kind, 'done')

  const second = bytedance.accept(await send(call), order)
  assert(second.kind === 'running' && bytedance.cancel !== undefined)
  await send(bytedance.cancel(second.ticket))
  const end = bytedance.read(await send(bytedance.poll(second.ticket)), second.ticket)
  assert(end.kind === 'failed' && end.fault.code === 'canceled')
})

for (const [word, code] of [
  ['refuse', 'content_policy'],
  ['invalid', 'invalid_input'],
]) {
  test(`OmniHuman and Seedance refuse sandbox:${word} alike`, async (t) => {
    const { send, tasks } = await open(t)
    for (const request of [
      { ...avatar, prompt: `sandbox:${word}` },
      { ...kite, prompt: `sandbox:${word}` },
    ]) {
      const { order, call } = orderOf(request)
      const outcome = bytedance.accept(await send(call), order)
      assert(outcome.kind === 'failed')
      assert.equal(outcome.fault.code, code)
    }
    assert.equal(tasks.size, 0)
  })
}

test('the Visual API takes no call that is unsigned, altered after signing, or inlines its media', async (t) => {
  const { send, tasks } = await open(t)
  const { order, call } = orderOf(avatar)
  const codeOf = async (reply: ReturnType<typeof send>) => {
    const outcome = bytedance.accept(await reply, order)
    return 'fault' in outcome ? outcome.fault.code : outcome.kind
  }
  assert.equal(await codeOf(send(call, { unsigned: true })), 'bad_credentials')
  assert.equal(await codeOf(send(call, { body: '{}' })), 'bad_credentials')
  assert.equal(
    await codeOf(send({ ...call, path: '/?Action=CVSubmitTask&Version=2019-01-01' })),
    'endpoint_gone',
  )
  const inlined = orderOf({ ...avatar, audio: 'data:audio/mpeg;base64,AAAA' })
  assert.equal(await codeOf(send(inlined.call)), 'invalid_input')
  assert.equal(tasks.size, 0)
})
