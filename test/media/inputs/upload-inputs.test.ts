import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { fault } from '../../../providers/faults.ts'
import type { Input } from '../../../providers/input.ts'
import type { Provider } from '../../../providers/provider.ts'
import { runware } from '../../../providers/runware/index.ts'
import {
  formatStoredReference,
  storedInputName,
} from '../../../src/catalogue/media-values/stored-reference.ts'
import { createInputLinks } from '../../../src/media/inputs/input-links.ts'
import { createInputUploader } from '../../../src/media/inputs/upload-inputs.ts'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import { createTransport } from '../../../src/upstreams/transport.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { startServer } from '../files.ts'

const [mapping = assert.fail()] = Object.values(runware.models)
const fileOf = (letter: string, bytes = 5) => ({ hash: letter.repeat(64), bytes, contentType: 'image/png' })

type Options = {
  mediaTransfer?: ReturnType<Provider['mediaTransfer']>
  upload?: Provider['upload'] | 'none'
  publicUrl?: string
  uploadsAtOnce?: number
  reply?: (request: IncomingMessage, response: ServerResponse) => void
}

/** Files in a store on disk, and an upstream on loopback that takes uploads. */
async function start(
  t: TestContext,
  { mediaTransfer = 'upload', upload, publicUrl, uploadsAtOnce = 2, reply }: Options = {},
) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const folder = await temporaryFolder(cleanup)
  const store = createDiskStore(join(folder, 'files'))
  const received: { path: string; body: string }[] = []
  const origin = await startServer(t, async (request, response) => {
    received.push({ path: request.url ?? '', body: (await buffer(request)).toString() })
    if (reply === undefined) response.end(`{"n":${received.length}}`)
    else reply(request, response)
  })
  const transport = createTransport({ timeoutMs: 5000 })
  cleanup.add(() => transport.close())
  const links = createInputLinks('secret')
  const uploadInputs = createInputUploader({
    store,
    transport,
    links,
    publicUrl: () => publicUrl,
    maxConcurrentUploads: uploadsAtOnce,
  })
  const { upload: _, ...base } = runware
  const provider: Provider = {
    ...base,
    mediaTransfer: () => mediaTransfer,
    ...(upload === 'none'
      ? {}
      : {
          upload: upload ?? {
            call: () => ({ method: 'PUT', path: '/upload', media: 'body' }),
            read: ({ body }) => ({ kind: 'uploaded', url: `https://cdn.example/${JSON.stringify(body)}` }),
          },
        }),
  }
  const config = { baseUrls: { api: origin }, credentials: {}, settings: {} }
  return {
    received,
    links,
    uploadInputs,
    upstream: { provider, mapping, config },
    /** A file replaces the folder of the store. */
    blockStore: () => writeFile(join(folder, 'files'), ''),
    async storeInput(letter: string, content = 'hello') {
      const path = join(folder, 'part')
      await writeFile(path, content)
      await store.put(storedInputName(fileOf(letter)), path)
      return formatStoredReference(fileOf(letter, content.length))
    },
  }
}

describe('uploading the files of a job to an upstream', () => {
  it('uploads them once, however often the job is prepared', async (t) => {
    const { uploadInputs, upstream, storeInput, received } = await start(t)
    const image = await storeInput('a')
    const input: Input = { prompt: 'a boat', image, referenceImages: [image, 'https://files.example/x.png'] }
    const first = await uploadInputs.prepare('job', input, upstream)
    assert.ok(first.kind === 'ready')
    const url = 'https://cdn.example/{"n":1}'
    assert.deepEqual(first.input, {
      prompt: 'a boat',
      image: url,
      referenceImages: [url, 'https://files.example/x.png'],
    })
    assert.deepEqual(received, [{ path: '/upload', body: 'hello' }])
    assert.deepEqual(first.inline, [])
    assert.deepEqual(first.uploadedLinks, { [`runware ${image}`]: url })
    const second = await uploadInputs.prepare('job', input, upstream, first.uploadedLinks)
    assert.ok(second.kind === 'ready')
    assert.deepEqual(second.input, first.input)
    assert.equal(received.length, 1)
  })

  it('reuses the uploads at the upstream that has them', async (t) => {
    const { uploadInputs, storeInput } = await start(t)
    const image = await storeInput('a')
    const uploadedLinks = { [`runware ${image}`]: 'https://cdn.example/1' }
    assert.deepEqual(await uploadInputs.toSentInput({ image }, 'runware', uploadedLinks), {
      image: 'https://cdn.example/1',
    })
    assert.deepEqual(await uploadInputs.toSentInput({ image }, 'fal', uploadedLinks), { image })
    assert.deepEqual(await uploadInputs.toSentInput({ image }, 'runware'), { image })
  })

  it('reports a failed lookup as a storage fault, not as a fault of the job', async (t) => {
    const { uploadInputs, upstream, blockStore } = await start(t)
    await blockStore()
    await assert.rejects(
      uploadInputs.prepare('job', { image: formatStoredReference(fileOf('a')) }, upstream),
      {
        name: 'StorageUnavailable',
      },
    )
  })

  it('sends them inside the call if the upstream supports that', async (t) => {
    const { uploadInputs, upstream, storeInput, received } = await start(t, { mediaTransfer: 'inline' })
    const image = await storeInput('a')
    const prepared = await uploadInputs.prepare('job', { image }, upstream)
    assert.ok(prepared.kind === 'ready')
    const [inline] = prepared.inline
    assert.ok(inline)
    assert.equal(prepared.input.image, `data:image/png;base64,${inline.placeholder}`)
    assert.equal(inline.bytes, 5)
    assert.equal((await buffer(await inline.open())).toString(), 'hello')
    assert.deepEqual(prepared.uploadedLinks, {})
    assert.deepEqual(received, [])
    const other = await uploadInputs.prepare('job', { image }, upstream)
    assert.ok(other.kind === 'ready' && other.inline[0]?.placeholder !== inline.placeholder)
  })

  it('sends links if the upstream fetches the files', async (t) => {
    const { uploadInputs, upstream, storeInput, links } = await start(t, {
      mediaTransfer: 'link',
      publicUrl: 'https://us.example',
    })
    const prepared = await uploadInputs.prepare('job', { image: await storeInput('a') }, upstream)
    assert.ok(prepared.kind === 'ready')
    const [, token = ''] =
      /^https:\/\/us\.example\/media\/(.+\.png)$/.exec(String(prepared.input.image)) ?? []
    assert.deepEqual(links.readToken(token), fileOf('a'))
  })

  const failing: Readonly<Record<string, [Options, RegExp | string]>> = {
    'cannot be linked without a public address': [{ mediaTransfer: 'link' }, 'media_unreadable'],
    'cannot be uploaded where nothing takes uploads': [{ upload: 'none' }, 'media_unreadable'],
    'are not sent where the upload is cut': [
      { reply: (_, response) => response.destroy() },
      'upstream_unreachable',
    ],
    'are not sent where the upload is refused': [
      {
        upload: {
          call: () => ({ method: 'PUT', path: '/upload', media: 'body' }),
          read: () => ({ kind: 'failed', fault: fault('rate_limited', 'busy') }),
        },
      },
      'rate_limited',
    ],
  }
  for (const [name, [options, code]] of Object.entries(failing))
    it(name, async (t) => {
      const { uploadInputs, upstream, storeInput } = await start(t, { ...options, uploadsAtOnce: 1 })
      const image = await storeInput('a')
      for (let n = 0; n < 2; n++) {
        const prepared = await uploadInputs.prepare('job', { image }, upstream)
        assert.ok(prepared.kind === 'failed', 'the place is free again')
        assert.equal(prepared.fault.code, code)
      }
    })

  it('fails if the files are no longer stored', async (t) => {
    const { uploadInputs, upstream, received } = await start(t)
    const prepared = await uploadInputs.prepare(
      'job',
      { image: formatStoredReference(fileOf('b')) },
      upstream,
    )
    assert.ok(prepared.kind === 'failed')
    assert.equal(prepared.fault.code, 'media_unreadable')
    assert.deepEqual(received, [])
  })

  describe('with two calls', () => {
    const twice: Provider['upload'] = {
      call: () => ({ method: 'POST', path: '/begin', json: {} }),
      read: () => ({
        kind: 'next',
        call: { method: 'PUT', path: '/content', media: 'body' },
        url: 'https://cdn.example/done',
      }),
    }

    it('returns the link of the first reply', async (t) => {
      const { uploadInputs, upstream, storeInput, received } = await start(t, { upload: twice })
      const prepared = await uploadInputs.prepare('job', { image: await storeInput('a') }, upstream)
      assert.ok(prepared.kind === 'ready')
      assert.equal(prepared.input.image, 'https://cdn.example/done')
      assert.deepEqual(received, [
        { path: '/begin', body: '{}' },
        { path: '/content', body: 'hello' },
      ])
    })

    for (const [status, kind] of [
      [204, 'ready'],
      [299, 'ready'],
      [300, 'failed'],
      [403, 'failed'],
    ] as const)
      it(`returns ${kind} if the second call gets ${status}`, async (t) => {
        const { uploadInputs, upstream, storeInput } = await start(t, {
          upload: twice,
          reply: ({ url }, response) => response.writeHead(url === '/content' ? status : 200).end(),
        })
        const prepared = await uploadInputs.prepare('job', { image: await storeInput('a') }, upstream)
        assert.equal(prepared.kind, kind)
        if (prepared.kind === 'failed') assert.equal(prepared.fault.code, 'upstream_error')
      })
  })

  describe('beyond the concurrency limit', () => {
    it('waits until another upload is done', async (t) => {
      const { uploadInputs, upstream, storeInput } = await start(t, { uploadsAtOnce: 1 })
      const image = await storeInput('a')
      const first = await uploadInputs.prepare('one', { image }, upstream)
      assert.ok(first.kind === 'ready')
      const second = await uploadInputs.prepare('two', { image }, upstream)
      assert.ok(second.kind === 'busy' && second.waitMs > 0)
      first.release()
      assert.equal((await uploadInputs.prepare('two', { image }, upstream)).kind, 'ready')
    })

    it('does not delay other upstreams, or jobs without files', async (t) => {
      const { uploadInputs, upstream, storeInput } = await start(t, { uploadsAtOnce: 1 })
      const image = await storeInput('a')
      const first = await uploadInputs.prepare('one', { image }, upstream)
      assert.ok(first.kind === 'ready')
      const fal = { ...upstream, provider: { ...upstream.provider, name: 'fal' as const } }
      assert.equal((await uploadInputs.prepare('two', { image }, fal)).kind, 'ready')
      assert.equal((await uploadInputs.prepare('three', { prompt: 'a boat' }, upstream)).kind, 'ready')
      assert.equal(
        (await uploadInputs.prepare('four', { image: 'https://a.example/b.png' }, upstream)).kind,
        'ready',
      )
      assert.equal(
        (await uploadInputs.prepare('five', { image }, upstream, first.uploadedLinks)).kind,
        'ready',
      )
      assert.equal((await uploadInputs.prepare('six', { image }, upstream)).kind, 'busy')
    })

    it('does not count files that the upstream fetches', async (t) => {
      const { uploadInputs, upstream, storeInput } = await start(t, {
        uploadsAtOnce: 1,
        mediaTransfer: 'link',
        publicUrl: 'https://us.example',
      })
      const image = await storeInput('a')
      for (const job of ['one', 'two'])
        assert.equal((await uploadInputs.prepare(job, { image }, upstream)).kind, 'ready')
    })

    it('counts the bytes of all files of a job', async (t) => {
      const { uploadInputs, upstream, storeInput } = await start(t, {
        mediaTransfer: 'inline',
        uploadsAtOnce: 9,
      })
      await storeInput('a')
      await storeInput('b')
      const large = (letter: string) => formatStoredReference(fileOf(letter, 15 * 1024 * 1024))
      const both = { image: large('a'), last_image: large('b') }
      assert.equal((await uploadInputs.prepare('one', both, upstream)).kind, 'ready')
      assert.equal((await uploadInputs.prepare('two', { image: large('a') }, upstream)).kind, 'busy')
    })
  })
})
