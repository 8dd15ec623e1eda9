import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Client } from 'wavespeed'
import { wavespeed } from '../../providers/wavespeed/index.ts'
import { wavespeedMock } from '../../src/sandbox/upstreams/wavespeed.ts'
import { serveMock } from './serve-mock.ts'

const model = 'lightricks/ltx-2-fast/text-to-video'
const authorization = 'Bearer fake-key'

/** WaveSpeed's mock, and its own client. */
async function open(t: TestContext) {
  const { clock, tasks, ...upstream } = await serveMock(t, wavespeedMock, wavespeed)
  const baseUrl = upstream.baseUrl('api')
  const ask = (
    method: string,
    path: string,
    json?: unknown,
    headers: Record<string, string> = { authorization },
  ) =>
    fetch(`${baseUrl}${path}`, {
      method,
      headers: json === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    })
  return { baseUrl, clock, tasks, ask, client: new Client('fake-key', { baseUrl, maxConnectionRetries: 0 }) }
}

type Upstream = Awaited<ReturnType<typeof open>>

/** Each look of the client at a task takes 400 ms of the mock's time, so that every stage is seen. */
function runWhileTimePasses({ client, clock }: Upstream, prompt: string) {
  clock.tick = 400
  return client.run(model, { prompt, duration: 6, generate_audio: false }, { pollInterval: 0.001 })
}

test("WaveSpeed's own client runs a model to its end", async (t) => {
  const upstream = await open(t)
  const { outputs } = await runWhileTimePasses(upstream, 'A heron')
  const [task] = upstream.tasks.values()
  assert.equal(task?.endpoint, model)
  assert.match(task?.id ?? '', /^[0-9a-f]{32}$/)
  assert.match(outputs[0], new RegExp(`/videos/${task?.id}\\.mp4$`))
})

for (const [word, said] of [
  ['fail', 'The task failed.'],
  ['refuse', 'Content flagged as potentially sensitive. Please try different prompts or images.'],
  ['invalid', 'The media URL could not be fetched.'],
]) {
  test(`WaveSpeed's own client reads why sandbox:${word} failed`, async (t) => {
    const run = runWhileTimePasses(await open(t), `A heron sandbox:${word}`)
    await assert.rejects(run, (error: Error) => error.message.includes(String(said)))
  })
}

test("WaveSpeed's own client uploads a file, and the link leads to it", async (t) => {
  const { client, baseUrl } = await open(t)
  const folder = await mkdtemp(join(tmpdir(), 'reelgate-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'a still.png'), 'not really a picture')
  const link = await client.upload(join(folder, 'a still.png'))
  assert.ok(link.startsWith(`${baseUrl}/media/`))
  const file = await fetch(link)
  assert.equal(file.headers.get('content-type'), 'image/png')
  assert.equal(await file.text(), 'not really a picture')
})

test('a file in a form is taken too', async (t) => {
  const { baseUrl } = await open(t)
  const body = new FormData()
  body.set('file', new File(['sound'], 'speech.mp3', { type: 'audio/mpeg' }))
  const reply = await fetch(`${baseUrl}/api/v3/media/upload/binary`, {
    method: 'POST',
    headers: { authorization },
    body,
  })
  const { data } = (await reply.json()) as { data: { type: string; size: number; download_url: string } }
  assert.deepEqual([data.type, data.size], ['audio', 5])
  assert.equal(await (await fetch(data.download_url)).text(), 'sound')
})

test('what the path does not list is refused, and so is a call without a key', async (t) => {
  const { client, ask, tasks } = await open(t)
  for (const [input, said] of [
    [{ prompt: 'A heron', resolution: '720p' }, 'property \\"resolution\\" is unsupported'],
    [{ prompt: 'A heron', duration: 7 }, 'property \\"duration\\" has an invalid value'],
    [{ prompt: 'A heron', duration: '6' }, 'property \\"duration\\" has an invalid value'],
    [{}, 'property \\"prompt\\" is missing'],
  ] as const) {
    await assert.rejects(client.run(model, input), (error: Error) => {
      assert.match(error.message, /HTTP 400/)
      return error.message.includes(said)
    })
  }
  const keyless = await ask('POST', `/api/v3/${model}`, { prompt: 'A heron' }, {})
  assert.equal(keyless.status, 401)
  assert.deepEqual(await keyless.json(), { code: 401, message: 'Unauthorized' })
  assert.equal((await ask('GET', '/api/v3/predictions/unknown/result')).status, 404)
  assert.equal((await ask('POST', '/api/v3/no/such-model', { prompt: 'A heron' })).status, 404)
  assert.equal(tasks.size, 0)
})

test('tasks are found by model and time, with their inputs, and keep their webhook until they are deleted', async (t) => {
  const { ask, clock, tasks } = await open(t)
  await ask('POST', `/api/v3/${model}`, { prompt: 'too early' })
  clock.now += 60_000
  await ask('POST', `/api/v3/${model}?webhook=${encodeURIComponent('http://127.0.0.1:9/hint?a=1')}`, {
    prompt: 'ours',
  })
  await ask('POST', '/api/v3/bytedance/seedance-v1-pro-fast/text-to-video', { prompt: 'another model' })
  const search = { page: 1, page_size: 100, model, include_inputs: true }
  const reply = await ask('POST', '/api/v3/predictions', {
    ...search,
    created_after: new Date(clock.now - 30_000).toISOString(),
    created_before: new Date(clock.now + 30_000).toISOString(),
  })
  const { data } = (await reply.json()) as { data: { items: { id: string; inputs: unknown }[] } }
  assert.deepEqual(
    data.items.map(({ inputs }) => inputs),
    [{ prompt: 'ours' }],
  )
  const id = data.items[0]?.id ?? ''
  assert.equal(tasks.get(id)?.hook, 'http://127.0.0.1:9/hint?a=1')

  const deleted = await ask('DELETE', `/api/v3/predictions/${id}`)
  assert.deepEqual(((await deleted.json()) as { data: unknown }).data, { id, status: 'deleted' })
  const polled = await ask('GET', `/api/v3/predictions/${id}/result`)
  assert.equal(((await polled.json()) as { data: { status: string } }).data.status, 'deleted')
})

test('sync mode answers with the end of the task, or says that the wait has run out', async (t) => {
  const upstream = await open(t)
  upstream.clock.tick = 400
  const input = { prompt: 'A heron', duration: 6 }
  const { outputs } = await upstream.client.run(model, input, { enableSyncMode: true })
  assert.match(outputs[0], /\/videos\/[0-9a-f]{32}\.mp4$/)
  const hooked = await upstream.ask('POST', `/api/v3/${model}?webhook=https%3A%2F%2Fa.example`, {
    ...input,
    enable_sync_mode: true,
  })
  assert.equal(hooked.status, 400)
  upstream.clock.tick = 0
  const waited = await upstream.ask('POST', `/api/v3/${model}`, { ...input, enable_sync_mode: true })
  const { data } = (await waited.json()) as { data: { status: string; code: number } }
  assert.deepEqual([waited.status, data.status, data.code], [200, 'processing', 5004])
})
