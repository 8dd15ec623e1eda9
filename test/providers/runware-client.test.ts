import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type IRequestVideo, RunwareServer } from '@runware/sdk-js'
import { at, list, text } from '../../providers/reader.ts'
import { runware } from '../../providers/runware/index.ts'
import { runwareMock } from '../../src/sandbox/upstreams/runware.ts'
import { serveMock } from './serve-mock.ts'
import { serveFrames } from './websocket.ts'

const wanted: IRequestVideo = {
  model: 'klingai:5@3',
  positivePrompt: 'A lighthouse in a storm',
  width: 1920,
  height: 1080,
  duration: 5,
  CFGScale: 0.5,
  numberResults: 1,
  includeCost: true,
}

/** Each look at a task takes 600 ms of the mock's time, so that a render of 1 s is seen at work. */
async function open(t: TestContext) {
  const { tasks, clock, origin, baseUrl } = await serveMock(t, runwareMock, runware)
  clock.tick = 600
  const url = `${baseUrl('api')}/v1`
  async function ask(body: unknown, key?: string) {
    const headers = {
      'content-type': 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    }
    const json = typeof body === 'string' ? body : JSON.stringify(body)
    const reply = await fetch(url, { method: 'POST', headers, body: json })
    return { status: reply.status, body: (await reply.json()) as unknown }
  }
  return { origin, tasks, ask }
}

/** Runware's own client speaks WebSocket only: what it sends reaches the mock by HTTP, unchanged. */
async function connect(t: TestContext, apiKey = 'fake-key') {
  const upstream = await open(t)
  const seen: string[] = []
  const url = await serveFrames(t, () => {
    let key: string | undefined
    return async (frame) => {
      const tasks = JSON.parse(frame)
      const reply = await upstream.ask(frame, key)
      if (text(tasks, 0, 'taskType') === 'authentication') key = text(tasks, 0, 'apiKey')
      for (const row of list(reply.body, 'data'))
        seen.push(text(row, 'status') ?? text(row, 'taskType') ?? '')
      return JSON.stringify(reply.body)
    }
  })
  const client = await RunwareServer.initialize({ apiKey, url, shouldReconnect: false })
  t.after(() => client.disconnect())
  return { ...upstream, client, seen }
}

/** What the client rejects with is not an Error. */
async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail('it was not refused'),
    (refusal: unknown) => at(refusal, 'error'),
  )
}

describe("Runware's own client, unchanged", { concurrency: true }, () => {
  test('renders a video to its end', async (t) => {
    const { client, origin, tasks, seen } = await connect(t)
    const videos = await client.videoInference(wanted)
    const [task] = tasks.values()
    assert.equal(task?.endpoint, 'klingai:5@3')
    const [video] = [videos].flat()
    assert.equal(video?.taskUUID, task?.id)
    assert.equal(video?.videoURL, `${origin}/videos/${task?.id}.mp4`)
    assert.equal(video?.cost, 0.924)
    assert.deepEqual(seen, ['authentication', 'videoInference', 'processing', 'success'])
  })

  test('reads a refusal of the content', async (t) => {
    const { client } = await connect(t)
    const error = await refusalOf(
      client.videoInference({ ...wanted, positivePrompt: 'A storm sandbox:refuse' }),
    )
    assert.equal(text(error, 'code'), 'invalidProviderContent')
    assert.match(text(error, 'message') ?? '', /content moderation/)
  })

  test('reads a failure', async (t) => {
    const { client } = await connect(t)
    const error = await refusalOf(
      client.videoInference({ ...wanted, positivePrompt: 'A storm sandbox:fail' }),
    )
    assert.equal(text(error, 'code'), 'providerError')
  })

  test('is refused a parameter that the model lacks', async (t) => {
    const { client, tasks } = await connect(t)
    const error = await refusalOf(client.videoInference({ ...wanted, seed: 42 }))
    assert.deepEqual([text(error, 'code'), text(error, 'parameter')], ['unsupportedParameter', 'seed'])
    assert.equal(tasks.size, 0)
  })

  test('is refused with a wrong key', async (t) => {
    assert.equal(text(await refusalOf(connect(t, 'wrong')), 'code'), 'invalidApiKey')
  })
})

describe("Runware's mock", () => {
  const taskUUID = '24cd5dff-cb81-4db5-8506-b72a9425f9d1'
  const submit = { taskType: 'videoInference', taskUUID, deliveryMethod: 'async', ...wanted }
  const poll = { taskType: 'getResponse', taskUUID }
  const kling = { model: 'klingai:5@3', width: 1920, height: 1080 }
  const square = { width: 720, height: 720 }
  const frame = { inputs: { frameImages: [{ image: 'https://media.example/still.png', frame: 'first' }] } }

  test('takes its key from a header or from a first task, and none without', async (t) => {
    const { ask } = await open(t)
    const told = { taskType: 'authentication', apiKey: 'fake-key' }
    assert.equal((await ask([poll])).status, 401)
    assert.equal((await ask([poll], 'wrong')).status, 401)
    assert.equal((await ask([told, poll])).status, 200)
    assert.deepEqual(await ask([poll], 'fake-key'), { status: 200, body: { data: [] } })
  })

  test('does not take a task twice, neither at work nor ended', async (t) => {
    const { ask, tasks } = await open(t)
    assert.equal((await ask([submit], 'fake-key')).status, 200)
    for (const _ of ['at work', 'ended']) {
      const { status, body } = await ask([submit], 'fake-key')
      assert.deepEqual([status, text(body, 'errors', 0, 'code')], [400, 'conflictTaskUUID'])
    }
    assert.equal(tasks.size, 1)
  })

  test('answers each task of a list on its own', async (t) => {
    const { ask } = await open(t)
    const ping = { taskType: 'ping', ping: true }
    const balance = { taskType: 'accountManagement', taskUUID, operation: 'getDetails' }
    const store = {
      taskType: 'mediaStorage',
      taskUUID,
      operation: 'upload',
      media: 'data:video/mp4;base64,AAAA',
    }
    const picture = { taskType: 'imageUpload', taskUUID, image: 'data:image/png;base64,AAAA' }
    const unknown = { taskType: 'makeCoffee', taskUUID }
    const { status, body } = await ask([ping, balance, store, picture, unknown, 7], 'fake-key')
    assert.equal(status, 400)
    assert.equal(at(body, 'data', 0, 'pong'), true)
    assert.equal(at(body, 'data', 1, 'balance', 'amount'), 100)
    assert.match(text(body, 'data', 2, 'mediaUUID') ?? '', /^[0-9a-f-]{36}$/)
    assert.match(text(body, 'data', 3, 'imageUUID') ?? '', /^[0-9a-f-]{36}$/)
    assert.deepEqual(
      list(body, 'errors').map((error) => text(error, 'code')),
      ['invalidTaskType', 'invalidTaskUUID'],
    )
  })

  test('ends a task without a video, or never', async (t) => {
    const { ask } = await open(t)
    const other = '24cd5dff-cb81-4db5-8506-b72a9425f9d2'
    await ask([{ ...submit, positivePrompt: 'sandbox:empty' }], 'fake-key')
    await ask([{ ...submit, taskUUID: other, positivePrompt: 'sandbox:hang' }], 'fake-key')
    const both = [poll, { ...poll, taskUUID: other }]
    for (const _ of [1, 2]) await ask(both, 'fake-key')
    const { body } = await ask(both, 'fake-key')
    assert.deepEqual(at(body, 'data', 0), { taskType: 'videoInference', taskUUID, status: 'success' })
    assert.deepEqual([text(body, 'data', 1, 'status'), at(body, 'data', 1, 'progress')], ['processing', 99])
  })

  for (const [code, task] of Object.entries({
    missingModel: { model: undefined },
    modelNotFound: { model: 'klingai:99@9' },
    unsupportedParameter: { ...kling, resolution: '720p' },
    unsupportedDuration: { ...kling, duration: 7 },
    missingPositivePrompt: { ...kling, positivePrompt: undefined },
    invalidPositivePrompt: { ...kling, positivePrompt: 'sandbox:invalid' },
    invalidCFGScale: { ...kling, CFGScale: 2 },
    missingDimensionParameters: { ...kling, width: undefined, height: undefined },
    unsupportedDimensions: { ...kling, width: 1000 },
    missingFrameImages: { ...kling, model: 'klingai:5@2' },
    invalidFrameImages: { ...kling, inputs: { frameImages: [{ image: '/etc/passwd' }] } },
    invalidSeed: { model: 'pixverse:1@5', ...square, CFGScale: undefined, seed: 0 },
    incompatibleParameters: { model: 'pixverse:1@5', ...square, ...frame, CFGScale: undefined },
    mismatchProviderSettingsProvider: {
      model: 'pixverse:1@5',
      ...square,
      CFGScale: undefined,
      providerSettings: { vidu: { style: 'anime' } },
    },
    invalidProviderSettings: {
      model: 'pixverse:1@5',
      ...square,
      CFGScale: undefined,
      providerSettings: { pixverse: { style: 'noir' } },
    },
    invalidDeliveryMethod: { ...kling, deliveryMethod: 'sync' },
  })) {
    test(`refuses with ${code}, before it makes a task`, async (t) => {
      const { ask, tasks } = await open(t)
      const { status, body } = await ask([{ ...submit, ...task }], 'fake-key')
      assert.deepEqual([status, text(body, 'errors', 0, 'code')], [400, code])
      assert.equal(text(body, 'errors', 0, 'taskUUID'), taskUUID)
      assert.equal(tasks.size, 0)
    })
  }

  test('refuses what is no list', async (t) => {
    const { ask } = await open(t)
    for (const body of ['{', '{}', '"x"', 'null']) {
      const reply = await ask(body, 'fake-key')
      assert.deepEqual([reply.status, text(reply.body, 'errors', 0, 'code')], [400, 'invalidRequest'])
    }
  })
})
