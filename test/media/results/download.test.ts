import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { symlinkSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createDownloader } from '../../../src/media/results/download.ts'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { createTempDir, type TempDir } from '../../../src/media/storage/temp-dir.ts'
import { createSafeFetch, type SafeFetch } from '../../../src/net/safe-fetch.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { startServer } from '../files.ts'

const megabyte = 1024 * 1024
const content = Buffer.from('0123456789'.repeat(50))
const etag = '"one"'

type Request = { range: string | undefined; encoding: string | undefined; url: string | undefined }
type Respond = (response: ServerResponse, headers: IncomingHttpHeaders) => void

async function start(t: TestContext, reply: Respond, changes: Record<string, unknown> = {}) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const requests: Request[] = []
  const upstream = await startServer(t, ({ headers, url }, response) => {
    requests.push({ range: headers.range, encoding: String(headers['accept-encoding']), url })
    reply(response, headers)
  })
  const dir = join(await temporaryFolder(cleanup), 'scratch')
  const tempDir = await createTempDir(dir)
  const safeFetch = createSafeFetch({ trustedUrls: [upstream] })
  t.after(() => safeFetch.close())
  const limits = { largestBytes: megabyte, bytesPerSecond: 1, windowMs: 60_000 }
  const create = (others = {}) => createDownloader({ safeFetch, tempDir, ...limits, ...changes, ...others })
  const download = create()
  const url = `${upstream}/a.mp4`
  return {
    requests,
    dir,
    url,
    /** A download with other parts. */
    with: create,
    download: (name = 'a', signal?: AbortSignal) => download(url, name, signal),
    files: () => readdir(dir),
    /** A partial file of an earlier attempt for the file with these headers. */
    async leave(bytes: Buffer, { tag = etag, whole = content.length, name = 'a', of = url } = {}) {
      const entity = createHash('sha256').update([of, tag, whole].join('\n')).digest('hex').slice(0, 16)
      await writeFile(tempDir.createPath(`${name}.${entity}`), bytes)
    },
  }
}

const whole = (response: ServerResponse) =>
  void response.writeHead(200, { etag, 'content-length': content.length }).end(content)

/** Serves ranges as a good upstream does. */
const ranges: Respond = (response, { range }) => {
  const from = Number(/\d+/.exec(range ?? '')?.[0] ?? 0)
  if (range === undefined) return whole(response)
  const rangeHeaders = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
  response
    .writeHead(206, { etag, ...rangeHeaders, 'content-length': content.length - from })
    .end(content.subarray(from))
}

describe('the download of a file', () => {
  it('stores it under its name, readable by the gateway’s user only', async (t) => {
    const setup = await start(t, whole)
    const path = await setup.download()
    assert.ok((await readFile(path)).equals(content))
    assert.match(path, /\/scratch\/a\.[0-9a-f]{16}\.[0-9a-f-]{36}\.part$/)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(setup.requests, [{ range: undefined, encoding: 'identity', url: '/a.mp4' }])
  })

  it('derives the file name from the headers of the upstream', async (t) => {
    const versions = [{ etag }, { etag: '"two"' }, { 'last-modified': 'Monday' }, {}]
    const names = new Set<string>()
    const setup = await start(
      t,
      (response) => void response.writeHead(200, versions[names.size] ?? {}).end(content),
    )
    for (const _ of versions) names.add((await setup.download(`a${names.size}`)).split('.')[1] ?? '')
    assert.equal(names.size, 4)
  })

  it('identifies the entity: link, version and length', async (t) => {
    const setup = await start(t, whole)
    const entity = createHash('sha256').update(`${setup.url}\n"one"\n500`).digest('hex').slice(0, 16)
    assert.ok((await setup.download()).includes(`/a.${entity}.`))
  })

  for (const status of [404, 403, 500, 204, 416, 206]) {
    it(`HTTP ${status} is not a file`, async (t) => {
      const setup = await start(t, (response) => void response.writeHead(status).end())
      await assert.rejects(setup.download(), {
        name: 'LinkNotReady',
        message: `the link of the result answers HTTP ${status}`,
      })
      assert.deepEqual(await setup.files(), [])
      assert.equal(setup.requests.length, 1)
    })
  }

  it('passes on a rejected address', async (t) => {
    const safeFetch = createSafeFetch({})
    t.after(() => safeFetch.close())
    const setup = await start(t, whole, { safeFetch })
    await assert.rejects(setup.download(), { name: 'AddressRefused' })
  })

  it('reports a broken connection as a fault of the link, with the reason', async (t) => {
    const setup = await start(t, (response) => void response.destroy())
    await assert.rejects(setup.download(), (cause) => {
      assert.ok(cause instanceof Error && cause.cause instanceof Error)
      assert.equal(cause.name, 'LinkNotReady')
      assert.equal(cause.message, `the result cannot be fetched: ${cause.cause.message}`)
      return true
    })
  })

  for (const bug of [new TypeError('bug'), new ReferenceError('bug'), new RangeError('bug'), 'no error']) {
    it(`${bug} is an internal error, not a fault of the link`, async (t) => {
      const safeFetch = { fetch: () => Promise.reject(bug) } as unknown as SafeFetch
      const setup = await start(t, whole, { safeFetch })
      await assert.rejects(setup.download(), (cause) => cause === bug)
    })
  }
})

describe('an interrupted download', () => {
  it('resumes where it stopped', async (t) => {
    const setup = await start(t, ranges)
    await setup.leave(content.subarray(0, 100))
    const path = await setup.download()
    assert.ok((await readFile(path)).equals(content))
    assert.deepEqual(
      setup.requests.map(({ range }) => range),
      ['bytes=100-'],
    )
    assert.equal((await setup.files()).length, 1)
  })

  it('resumes the longest partial file', async (t) => {
    const setup = await start(t, ranges)
    for (const bytes of [100, 300, 200]) await setup.leave(content.subarray(0, bytes))
    assert.ok((await readFile(await setup.download())).equals(content))
    assert.deepEqual(
      setup.requests.map(({ range }) => range),
      ['bytes=300-'],
    )
    assert.equal((await setup.files()).length, 1)
  })

  it('starts from the beginning if the partial file was removed', async (t) => {
    const setup = await start(t, (response) => {
      void rm(setup.dir, { recursive: true })
        .then(() => mkdir(setup.dir))
        .then(() => whole(response))
    })
    await setup.leave(content.subarray(0, 100))
    assert.ok((await readFile(await setup.download())).equals(content))
  })

  it('starts from the beginning without a partial file', async (t) => {
    const setup = await start(t, ranges)
    await setup.leave(Buffer.alloc(0))
    assert.ok((await readFile(await setup.download())).equals(content))
    assert.deepEqual(
      setup.requests.map(({ range }) => range),
      [undefined],
    )
  })

  it('does not change that of another result', async (t) => {
    const setup = await start(t, ranges)
    await setup.leave(content.subarray(0, 100), { name: 'ab' })
    assert.ok((await readFile(await setup.download())).equals(content))
    assert.deepEqual(
      setup.requests.map(({ range }) => range),
      [undefined],
    )
    assert.equal((await setup.files()).length, 2)
  })

  for (const [what, facts] of [
    ['another version', { tag: '"two"' }],
    ['another length', { whole: 400 }],
    ['another link', { of: 'https://cdn.example/b.mp4' }],
  ] as const) {
    it(`does not resume ${what}`, async (t) => {
      const setup = await start(t, ranges)
      await setup.leave(Buffer.alloc(100, 'x'), facts)
      assert.ok((await readFile(await setup.download())).equals(content))
      assert.deepEqual(
        setup.requests.map(({ range }) => range),
        ['bytes=100-', undefined],
      )
      assert.equal((await setup.files()).length, 1)
    })
  }

  const rangeHeaders = (first: unknown, last: unknown = 499, of: unknown = 500) => ({
    'content-range': `bytes ${first}-${last}/${of}`,
  })
  const rests: Record<string, Record<string, string>> = {
    'another place': rangeHeaders(99),
    'no place': { 'content-range': 'bytes */500' },
    'no range': {},
    'an encoded rest': { ...rangeHeaders(100), 'content-encoding': 'gzip' },
    'a place that is not the first word': { 'content-range': 'x bytes 100-499/500' },
  }
  for (const [what, headers] of Object.entries(rests)) {
    it(`does not resume when the upstream returns ${what}`, async (t) => {
      const setup = await start(t, (response, { range }) => {
        if (range === undefined) return whole(response)
        response.writeHead(206, { etag, ...headers }).end(content.subarray(100))
      })
      await setup.leave(content.subarray(0, 100))
      assert.ok((await readFile(await setup.download())).equals(content))
      assert.deepEqual(
        setup.requests.map(({ range }) => range),
        ['bytes=100-', undefined],
      )
    })
  }

  it('is replaced by a complete reply', async (t) => {
    const setup = await start(t, whole)
    await setup.leave(content.subarray(0, 100))
    assert.ok((await readFile(await setup.download())).equals(content))
    assert.equal(setup.requests.length, 1)
    assert.equal((await setup.files()).length, 1)
  })

  it('starts from the beginning if the upstream does not support ranges', async (t) => {
    const setup = await start(t, (response, { range }) => {
      if (range === undefined) return whole(response)
      response.writeHead(416).end()
    })
    await setup.leave(content.subarray(0, 100))
    assert.ok((await readFile(await setup.download())).equals(content))
  })

  it('ends when the link is gone', async (t) => {
    const setup = await start(t, (response) => void response.writeHead(404).end())
    await setup.leave(content.subarray(0, 100))
    await assert.rejects(setup.download(), { name: 'LinkNotReady', message: /HTTP 404/ })
    assert.equal(setup.requests.length, 2)
  })

  it('keeps the received part', async (t) => {
    const setup = await start(t, (response) => {
      response.writeHead(200, { etag, 'content-length': content.length })
      response.write(content.subarray(0, 100), () => setTimeout(() => response.destroy(), 20))
    })
    await assert.rejects(setup.download(), { name: 'LinkNotReady' })
    const [half = ''] = await setup.files()
    assert.equal((await stat(join(setup.dir, half))).size, 100)
  })

  it('keeps no part of an encoded file', async (t) => {
    const encoded = gzipSync(content)
    const setup = await start(t, (response) => {
      response.writeHead(200, { etag, 'content-encoding': 'gzip', 'content-length': encoded.length })
      response.write(encoded.subarray(0, 20), () => setTimeout(() => response.destroy(), 20))
    })
    await assert.rejects(setup.download(), { name: 'LinkNotReady' })
    assert.deepEqual(await setup.files(), [])
  })
})

describe('a complete file', () => {
  const wholes: [number, Record<string, string>, boolean][] = [
    [203, {}, true],
    [206, { 'content-range': 'bytes 0-499/500' }, true],
    [206, { 'content-range': 'bytes 0-498/500' }, false],
    [206, { 'content-range': 'bytes 1-499/500' }, false],
    [206, { 'content-range': 'bytes 0-499/*' }, false],
    [206, { 'content-range': 'bytes 0-499/500 more' }, false],
    [206, { 'content-range': 'x bytes 0-499/500' }, false],
    [206, {}, false],
    [404, { 'content-range': 'bytes 0-499/500' }, false],
  ]
  for (const [status, headers, expected] of wholes) {
    it(`HTTP ${status} with ${JSON.stringify(headers)}: ${expected}`, async (t) => {
      const setup = await start(t, (response) => void response.writeHead(status, headers).end(content))
      if (!expected) return assert.rejects(setup.download(), { name: 'LinkNotReady' })
      assert.ok((await readFile(await setup.download())).equals(content))
    })
  }

  it('with an unknown encoding is stored as it is', async (t) => {
    const headers = { etag, 'content-encoding': 'none' }
    const setup = await start(t, (response) => void response.writeHead(200, headers).end(content))
    assert.ok((await readFile(await setup.download())).equals(content))
  })
})

describe('a machine without resources', () => {
  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL']) {
    it(`${code} is an internal fault, not a fault of the link`, async (t) => {
      const cause = Object.assign(new Error('x'), { code })
      const safeFetch = { fetch: () => Promise.reject(cause) } as unknown as SafeFetch
      const setup = await start(t, whole, { safeFetch })
      await assert.rejects(setup.download(), {
        name: 'StorageUnavailable',
        message: `Cannot open a connection: ${code}`,
      })
    })
  }

  it('another code is a fault of the link', async (t) => {
    const cause = Object.assign(new Error('x'), { code: 'ECONNRESET' })
    const safeFetch = { fetch: () => Promise.reject(cause) } as unknown as SafeFetch
    const setup = await start(t, whole, { safeFetch })
    await assert.rejects(setup.download(), { name: 'LinkNotReady' })
  })
})

describe('the largest file', () => {
  it('can be announced', async (t) => {
    const setup = await start(t, whole, { largestBytes: content.length })
    assert.ok((await readFile(await setup.download())).equals(content))
  })

  it('can arrive unannounced', async (t) => {
    const setup = await start(t, (response) => void response.writeHead(200, { etag }).end(content), {
      largestBytes: content.length,
    })
    assert.ok((await readFile(await setup.download())).equals(content))
  })

  it('with one more announced byte is rejected, and nothing is kept', async (t) => {
    const setup = await start(
      t,
      (response) => void response.writeHead(200, { etag, 'content-length': content.length }).write('x'),
      { largestBytes: content.length - 1 },
    )
    await assert.rejects(setup.download(), { name: 'LinkUseless' })
    assert.deepEqual(await setup.files(), [])
  })

  it('with one more unannounced byte is rejected', async (t) => {
    const setup = await start(t, (response) => void response.writeHead(200, { etag }).end(content), {
      largestBytes: content.length - 1,
    })
    await assert.rejects(setup.download(), { name: 'LinkUseless' })
    assert.deepEqual(await setup.files(), [])
  })

  it('counts the part of an earlier attempt', async (t) => {
    const setup = await start(t, ranges, { largestBytes: content.length - 1 })
    await setup.leave(content.subarray(0, 100))
    await assert.rejects(setup.download(), { name: 'LinkUseless' })
  })

  it('counts the part of an earlier attempt, also without an announced length', async (t) => {
    const setup = await start(
      t,
      (response) =>
        void response
          .writeHead(206, { etag, 'content-range': `bytes 100-499/500` })
          .end(content.subarray(100)),
      { largestBytes: content.length - 1 },
    )
    await setup.leave(content.subarray(0, 100))
    await assert.rejects(setup.download(), { name: 'LinkUseless' })
  })

  it('is reported in whole megabytes', async (t) => {
    const setup = await start(
      t,
      (response) => void response.writeHead(200, { 'content-length': 9 * megabyte }).write('x'),
      { largestBytes: 2.5 * megabyte },
    )
    await assert.rejects(setup.download(), { message: 'the result is larger than 2 MB (RESULT_MAX_MB)' })
  })
})

describe('a download that is stopped', () => {
  it('by its caller ends with the caller’s reason', async (t) => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const setup = await start(t, () => abort.abort(reason))
    await assert.rejects(setup.download('a', abort.signal), (cause) => cause === reason)
  })

  it('because it is too slow is a fault of the link', async (t) => {
    const setup = await start(t, () => undefined, { windowMs: 50 })
    await assert.rejects(setup.download(), { name: 'LinkNotReady', message: /too slowly/ })
  })

  it('because it is too slow, also if the caller could stop it', async (t) => {
    const setup = await start(t, () => undefined, { windowMs: 50 })
    await assert.rejects(setup.download('a', new AbortController().signal), { message: /too slowly/ })
  })

  it('with a concurrent storage fault is a storage fault', async (t) => {
    const abort = new AbortController()
    const setup = await start(t, (response) => {
      abort.abort(new Error('enough'))
      whole(response)
    })
    const cause = new StorageUnavailable('full')
    const safeFetch = {
      fetch: async () => {
        abort.abort(new Error('enough'))
        throw cause
      },
    } as unknown as SafeFetch
    const download = setup.with({ safeFetch })
    await assert.rejects(download(setup.url, 'a', abort.signal), (found) => found === cause)
  })

  it('stops the rate check at its end', async (t) => {
    const stopped = t.mock.method(globalThis, 'clearInterval')
    const setup = await start(t, whole)
    await setup.download()
    assert.equal(stopped.mock.callCount(), 1)
  })
})

describe('a disk that cannot store a file', () => {
  it('that is missing is a storage fault', async (t) => {
    const setup = await start(t, (response) => {
      void rm(setup.dir, { recursive: true }).then(() => whole(response))
    })
    await assert.rejects(setup.download(), {
      name: 'StorageUnavailable',
      message: 'Cannot create a temporary file: ENOENT',
    })
  })

  it('reports a failed copy as a storage fault, and keeps the file', async (t) => {
    const setup = await start(t, async (response, headers) => {
      for (const file of await setup.files()) {
        await rm(join(setup.dir, file))
        await mkdir(join(setup.dir, file))
      }
      ranges(response, headers)
    })
    await setup.leave(content.subarray(0, 100))
    await assert.rejects(setup.download(), {
      name: 'StorageUnavailable',
      message: /^Cannot copy a temporary file: E/,
    })
    assert.equal((await setup.files()).length, 1)
  })

  /** Each temporary file leads to a device that is always full. */
  async function fullScratch(dir: string): Promise<TempDir> {
    const tempDir = await createTempDir(dir)
    const path = (name?: string) => {
      const full = tempDir.createPath(name)
      symlinkSync('/dev/full', full)
      return full
    }
    return { ...tempDir, createPath: path }
  }

  it('that is full keeps no partial file', async (t) => {
    const setup = await start(t, whole)
    const tempDir = await fullScratch(setup.dir)
    await assert.rejects(setup.with({ tempDir })(setup.url, 'a'), {
      name: 'StorageUnavailable',
      message: 'Cannot write a temporary file: ENOSPC',
    })
    assert.deepEqual(await setup.files(), [])
  })
})
