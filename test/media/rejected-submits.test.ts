import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { JobRefused } from '../../src/accounts/check-account.ts'
import { clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { freeMoney, startGateway } from '../api/gateway.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { dataUrl, png } from './files.ts'

const megabyte = 1024 * 1024
const animate = { model: 'midjourney-video', prompt: 'it moves' }
/** No two tests send the same content. */
let sequence = 0
const image = (bytes = 300_000) => {
  sequence += 1
  return png({ width: 4 + sequence, padding: bytes })
}

describe('a submit beyond the limits of its account', () => {
  it('is rejected before its files are stored', async (t) => {
    const checked: (number | undefined)[] = []
    const { app, engine } = await startGateway(t, {
      media: { storeInput: () => assert.fail('a file was stored') },
      billing: {
        ...freeMoney,
        check: async (_, costUsd) => {
          checked.push(costUsd)
          throw new JobRefused({ kind: 'balance', remainingUsd: 0 }, costUsd ?? 0)
        },
      },
    })
    const payload = { ...animate, image: dataUrl('image/png', png()) }
    const reply = await app.inject({ method: 'POST', url: '/api/generate-video', payload })
    const price = (await app.inject({ method: 'POST', url: '/api/price', payload })).json().usd
    assert.deepEqual([reply.statusCode, reply.json().error.requiredBalance], [402, price])
    assert.deepEqual([checked, engine.requests], [[price], []])
  })

  it('is not checked in advance if there is nothing to store', async (t) => {
    const money = { ...freeMoney, check: () => assert.fail('the account was looked up') }
    const { app } = await startGateway(t, { billing: money })
    const payload = { ...animate, image: 'https://x.example/a.png' }
    assert.equal((await app.inject({ method: 'POST', url: '/api/generate-video', payload })).statusCode, 202)
  })
})

describe('a rejected submit leaves no file', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let address: string
  before(async () => {
    backend = await startBackend(cleanup, {
      STORAGE_QUOTA_MB: '2',
      LIBRARY_RPM: '8',
      DISK_FREE_FLOOR_MB: '0',
    })
    address = (await startTestGateway(cleanup, backend.env)).address
  })
  after(() => cleanup.run())

  const filesIn = (...path: string[]) =>
    readdir(join(backend.env.DATA_DIR ?? '', ...path)).catch(() => [] as string[])

  async function createClient(limits: Record<string, unknown>) {
    const operator = clientOf(address, operatorKey)
    const { body } = await operator.request('POST', '/api/admin/keys', { name: 'test', ...limits })
    return { ...clientOf(address, String(body.key)), key: String(body.key), id: String(body.id) }
  }

  async function noFilesLeft(stored: string[]): Promise<void> {
    for (let tries = 0; tries < 100 && (await filesIn('scratch')).length > 0; tries += 1) await sleep(20)
    assert.deepEqual([await filesIn('scratch'), await filesIn('files', 'inputs')], [[], stored])
  }

  it('without balance: 402 for data URLs, short and long, and nothing is stored', async () => {
    const stored = await filesIn('files', 'inputs')
    const client = await createClient({ balanceUsd: 0 })
    for (const bytes of [10, 300_000]) {
      const reply = await client.submit({ ...animate, image: dataUrl('image/png', image(bytes)) })
      assert.deepEqual([reply.status, reply.body.code], [402, 'insufficient_balance'])
      await noFilesLeft(stored)
    }
  })

  it('without balance: 402 before the body has arrived', async () => {
    const client = await createClient({ balanceUsd: 0 })
    const sent = request(`${address}/api/generate-video`, {
      method: 'POST',
      headers: {
        'x-api-key': client.key,
        'content-type': 'application/json',
        'content-length': 8 * megabyte,
      },
    })
    sent.on('error', () => undefined)
    sent.write('{"model":"midjourney-video","image":"data:image/png;base64,')
    const [reply] = await once(sent, 'response')
    assert.equal(reply.statusCode, 402)
    assert.deepEqual(await filesIn('scratch'), [])
    sent.destroy()
  })

  it('without balance: a repeated request gets its first reply', async () => {
    const client = await createClient({ balanceUsd: 0.075 })
    const body = JSON.stringify({ ...animate, image: dataUrl('image/png', image()) })
    const send = () =>
      fetch(`${address}/api/generate-video`, {
        method: 'POST',
        headers: { 'x-api-key': client.key, 'content-type': 'application/json', 'idempotency-key': 'one' },
        body,
      })
    const [first, second] = [await send(), await send()]
    assert.deepEqual([first.status, second.status], [202, 202])
    assert.equal(second.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(await second.json(), await first.json())
  })

  it('over the daily limit: 429, and nothing is stored; OpenAI forms too', async () => {
    const stored = await filesIn('files', 'inputs')
    const client = await createClient({ dailyUsd: 0.01 })
    const reply = await client.submit({ ...animate, image: dataUrl('image/png', image()) })
    assert.deepEqual([reply.status, reply.body.code], [429, 'daily_usd_limit_exceeded'])
    const form = new FormData()
    form.append('model', 'midjourney-video')
    form.append('prompt', 'it moves')
    form.append('input_reference', new Blob([image()]), 'a.png')
    const openai = await fetch(`${address}/v1/videos`, {
      method: 'POST',
      headers: { 'x-api-key': client.key },
      body: form,
    })
    assert.equal(openai.status, 429)
    await noFilesLeft(stored)
  })

  /** A form with one file whose end never arrives. */
  const cutForm = Buffer.concat([
    Buffer.from('--XX\r\nContent-Disposition: form-data; name="input_reference"; filename="a.png"\r\n'),
    Buffer.from('Content-Type: image/png\r\n\r\n'),
    image(megabyte),
  ])
  const formType = 'multipart/form-data; boundary=XX'

  for (const path of ['/v1/videos', '/v1/videos/vid_1/remix', '/api/library']) {
    it(`with an incomplete form: ${path}`, async () => {
      const stored = await filesIn('files', 'inputs')
      const client = await createClient({})
      const headers = { 'x-api-key': client.key, 'content-type': formType }
      const sent = request(address + path, {
        method: 'POST',
        headers: { ...headers, 'content-length': 4 * megabyte },
      })
      sent.on('error', () => undefined)
      sent.write(cutForm)
      while ((await filesIn('scratch')).length === 0) await sleep(5)
      sent.destroy()
      await noFilesLeft(stored)
      const reply = await fetch(address + path, { method: 'POST', headers, body: cutForm })
      assert.equal(reply.status, 400)
      assert.match(await reply.text(), /"code":"invalid_request"/)
      await noFilesLeft(stored)
    })
  }

  for (const type of ['application/json', formType]) {
    it(`with a client that disconnects after sending: ${type.split(';')[0]}`, async () => {
      const stored = await filesIn('files', 'inputs')
      const client = await createClient({})
      const json = Buffer.from(
        JSON.stringify({ model: 'none', image: dataUrl('image/png', image(megabyte)) }),
      )
      const body = type === formType ? Buffer.concat([cutForm, Buffer.from('\r\n--XX--\r\n')]) : json
      for (let times = 0; times < 5; times += 1) {
        const headers = { 'x-api-key': client.key, 'content-type': type, 'content-length': body.length }
        const sent = request(`${address}/v1/videos`, { method: 'POST', headers })
        sent.on('error', () => undefined)
        await new Promise<void>((resolve) => sent.end(body, () => resolve()))
        sent.destroy()
      }
      await sleep(200)
      await noFilesLeft(stored)
    })
  }

  it('with several files, those before the invalid one are removed', async () => {
    const stored = await filesIn('files', 'inputs')
    const client = await createClient({ balanceUsd: 10 })
    const video = dataUrl('video/mp4', Buffer.from('no video'))
    const reply = await client.submit({
      model: 'magicapi-video-face-swap',
      image: dataUrl('image/png', image()),
      video,
    })
    assert.equal(reply.status, 400)
    await noFilesLeft(stored)
  })

  it('with many concurrent submits, only the accepted ones keep their files', async () => {
    const stored = await filesIn('files', 'inputs')
    const free = await createClient({})
    const submitBody = { ...animate, image: 'https://x.example/a.png' }
    const { body } = await free.request('POST', '/api/price', submitBody)
    const priceUsd = Number(body.usd)
    assert.ok(priceUsd > 0)
    const client = await createClient({ balanceUsd: priceUsd * 2.5 })
    const replies = await Promise.all(
      Array.from({ length: 6 }, () =>
        client.submit({ ...animate, image: dataUrl('image/png', image(1000)) }),
      ),
    )
    const statuses = replies.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [202, 202, 402, 402, 402, 402])
    const remaining = (await filesIn('files', 'inputs')).filter((file) => !stored.includes(file))
    assert.equal(remaining.length, 2)
  })

  it('a file of an accepted job stays when another request with it is rejected', async () => {
    const shared = dataUrl('image/png', image())
    const rich = await createClient({ balanceUsd: 10 })
    const before = await filesIn('files', 'inputs')
    const replies = await Promise.all([
      rich.submit({ ...animate, image: shared }),
      rich.submit({ ...animate, image: shared, model: 'magicapi-video-face-swap', video: 'data:,x' }),
    ])
    assert.deepEqual(
      replies.map(({ status }) => status),
      [202, 400],
    )
    const remaining = (await filesIn('files', 'inputs')).filter((file) => !before.includes(file))
    assert.equal(remaining.length, 1)
    assert.equal((await rich.waitForEnd(replies[0]?.body.runId ?? '')).stage, 'succeeded')
  })

  it('a key stores no more than its quota; deleted files free it', async () => {
    const client = await createClient({ balanceUsd: 100 })
    const add = async () => {
      const form = new FormData()
      form.append('file', new Blob([image(0.9 * megabyte)]), 'a.png')
      const reply = await fetch(`${address}/api/library`, {
        method: 'POST',
        headers: { 'x-api-key': client.key },
        body: form,
      })
      return { status: reply.status, body: (await reply.json()) as Record<string, string> }
    }
    const first = await add()
    assert.deepEqual([first.status, (await add()).status], [201, 201])
    const library = await filesIn('files', 'library')
    const third = await add()
    assert.deepEqual([third.status, third.body.code], [413, 'payload_too_large'])
    assert.match(third.body.message ?? '', /storage quota of this key is 2 MB; 1\.8 MB are used/)
    assert.deepEqual(await filesIn('files', 'library'), library)
    const job = await client.submit({ ...animate, image: dataUrl('image/png', image()) })
    assert.equal(job.status, 413)
    const removed = await client.request('DELETE', `/api/library/${first.body.id}`)
    assert.equal(removed.status, 200)
    assert.equal((await client.submit({ ...animate, image: dataUrl('image/png', image()) })).status, 202)
  })

  it('the library has its own rate limit', async () => {
    const client = await createClient({})
    for (let count = 0; count < 8; count += 1)
      assert.equal((await client.request('GET', '/api/library')).status, 200)
    const reply = await client.request('GET', '/api/library')
    assert.deepEqual([reply.status, reply.body.code], [429, 'rate_limit_exceeded'])
    assert.equal((await client.submit()).status, 202)
  })
})
