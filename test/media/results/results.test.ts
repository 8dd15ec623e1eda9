import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import { LinkNotReady, LinkUseless } from '../../../src/media/results/download.ts'
import { createDownloadSlots, DownloadsBusy } from '../../../src/media/results/download-slots.ts'
import { createResults } from '../../../src/media/results/results.ts'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import type { FileStore } from '../../../src/media/storage/file-store.ts'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { createTempDir } from '../../../src/media/storage/temp-dir.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis, temporaryFolder } from '../../support/setup.ts'
import { png, video } from '../files.ts'

const hour = 3_600_000
const job = { secret: 'secret' }
const link = 'https://cdn.example/a.mp4'
const nameOf = (index = 0) =>
  `${createHash('sha256').update(`secret:${index}`).digest('hex').slice(0, 40)}.mp4`

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

type Changes = {
  /** The reply of the link. */
  content?: (url: string) => Buffer | Error
  store?: Partial<FileStore>
  fault?: StorageUnavailable
  requireSpace?: () => Promise<void>
  perHost?: number
  keepMs?: number
  during?: () => Promise<unknown>
}

/** Results in a real disk store; the download writes what a test says. */
async function start(t: TestContext, changes: Changes = {}) {
  const { content = () => video, during = async () => undefined } = changes
  const own = createCleanup()
  t.after(() => own.run())
  const dataDir = await temporaryFolder(own)
  const tempDir = await createTempDir(join(dataDir, 'scratch'))
  const store: FileStore = createDiskStore(join(dataDir, 'files'))
  const keys = createKeys(`${dataDir}:`)
  const downloads: { url: string; name: string; signal: AbortSignal | undefined }[] = []
  const slots: [string, boolean][] = []
  const real = createDownloadSlots({ total: 9, perHost: changes.perHost ?? 9 })
  const results = createResults({
    store: { ...store, ...changes.store },
    redis,
    keys,
    tempDir,
    probe: {
      confirmedFault: async () => changes.fault,
      requireSpace: changes.requireSpace ?? (async () => undefined),
    },
    slots: {
      take(host, isRepeated) {
        slots.push([host, isRepeated])
        return real.take(host, isRepeated)
      },
    },
    async download(url, name, signal) {
      downloads.push({ url, name, signal })
      await during()
      const file = content(url)
      if (file instanceof Error) throw file
      const path = tempDir.createPath(`${name}.entity`)
      await writeFile(path, file)
      return path
    },
    keepMs: changes.keepMs ?? hour,
  })
  return {
    results,
    store,
    keys,
    tempDir,
    downloads,
    slots,
    dataDir,
    deliver: (options = {}, urls = [link]) =>
      results.deliver(
        job,
        urls.map((url) => ({ url })),
        options,
      ),
    temporary: () => readdir(join(dataDir, 'scratch')),
    stored: () => readdir(join(dataDir, 'files/results')).catch(() => [] as string[]),
  }
}

describe('a result', () => {
  it('is stored under a name derived from its secret, and served from there', async (t) => {
    const setup = await start(t)
    assert.deepEqual(await setup.deliver(), [{ url: `/files/${nameOf()}` }])
    assert.deepEqual(await setup.stored(), [nameOf()])
    assert.deepEqual(await setup.temporary(), [])
    assert.equal((await setup.store.stat(`results/${nameOf()}`))?.bytes, video.length)
  })

  it('is downloaded with its link, its name and the signal', async (t) => {
    const setup = await start(t)
    const { signal } = new AbortController()
    await setup.deliver({ signal })
    assert.deepEqual(setup.downloads, [{ url: link, name: nameOf(), signal }])
    assert.equal(setup.downloads[0]?.signal, signal)
  })

  it('with several files has a name for each', async (t) => {
    const setup = await start(t)
    const given = await setup.deliver({}, [link, 'https://cdn.example/b.mp4'])
    assert.deepEqual(given, [{ url: `/files/${nameOf(0)}` }, { url: `/files/${nameOf(1)}` }])
    assert.deepEqual((await setup.stored()).sort(), [nameOf(0), nameOf(1)].sort())
  })

  it('that is stored already is not downloaded again', async (t) => {
    const setup = await start(t)
    await setup.deliver()
    await setup.deliver()
    assert.equal(setup.downloads.length, 1)
  })

  for (const [what, content] of [
    ['no video', 'a page of a proxy'],
    ['empty', ''],
  ] as const) {
    it(`that is stored already, but ${what}, is downloaded again`, async (t) => {
      const setup = await start(t)
      const path = setup.tempDir.createPath('other')
      await writeFile(path, content)
      await setup.store.put(`results/${nameOf()}`, path)
      await setup.deliver()
      assert.equal(setup.downloads.length, 1)
      assert.equal((await setup.store.stat(`results/${nameOf()}`))?.bytes, video.length)
    })
  }

  it('that is missing in the store is downloaded again', async (t) => {
    const setup = await start(t)
    await setup.deliver()
    await setup.store.remove(`results/${nameOf()}`)
    await setup.deliver()
    assert.equal(setup.downloads.length, 2)
  })

  it('is downloaded once for two concurrent calls', async (t) => {
    const setup = await start(t)
    await Promise.all([setup.deliver(), setup.deliver()])
    assert.equal(setup.downloads.length, 1)
  })

  it('removes its earlier partial files, and no others', async (t) => {
    const setup = await start(t)
    await writeFile(setup.tempDir.createPath(`${nameOf()}.older`), 'half')
    await writeFile(setup.tempDir.createPath('other'), 'half')
    await setup.deliver()
    const tempFiles = await setup.temporary()
    assert.equal(tempFiles.length, 1)
    assert.match(tempFiles[0] ?? '', /^other\./)
  })
})

describe('a result that is not a complete video', () => {
  const contents: [string, Buffer, RegExp][] = [
    ['an image', png(), /\d+ bytes of image\/png, which are no whole video/],
    ['a text', Buffer.from('soon'), /gave 4 bytes of an unknown type/],
    ['a video without its end', video.subarray(0, video.length - 9), /bytes of video\/mp4/],
  ]
  for (const [what, content, message] of contents) {
    it(`${what} is not stored, and not kept`, async (t) => {
      const setup = await start(t, { content: () => content })
      await assert.rejects(setup.deliver(), { name: 'LinkNotReady', message })
      assert.deepEqual([await setup.stored(), await setup.temporary()], [[], []])
    })
  }
})

describe('a slot for the download of a result', () => {
  it('belongs to the host of the link', async (t) => {
    const setup = await start(t)
    await setup.deliver({}, ['https://cdn.example:8443/a.mp4'])
    assert.deepEqual(setup.slots, [['cdn.example:8443', false]])
  })

  it('belongs to no host if the link is not a URL', async (t) => {
    const setup = await start(t)
    await setup.deliver({}, ['no address'])
    assert.deepEqual(setup.slots, [['', false]])
  })

  it('marks a repeated attempt', async (t) => {
    const setup = await start(t)
    await setup.deliver({ isRepeated: true })
    assert.deepEqual(setup.slots, [['cdn.example', true]])
  })

  it('is released after the download', async (t) => {
    const setup = await start(t, { perHost: 1 })
    await setup.deliver()
    await setup.store.remove(`results/${nameOf()}`)
    await setup.deliver()
  })

  it('is released after a failure', async (t) => {
    const setup = await start(t, { perHost: 1, content: () => new LinkNotReady('soon') })
    for (let tries = 0; tries < 2; tries += 1) await assert.rejects(setup.deliver(), LinkNotReady)
  })

  it('that is not free postpones the result', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const setup = await start(t, { perHost: 1, during: () => promise })
    const first = setup.results.deliver({ secret: 'other' }, [{ url: link }])
    while (setup.downloads.length === 0) await new Promise((done) => setImmediate(done))
    await assert.rejects(setup.deliver(), DownloadsBusy)
    resolve()
    await first
    assert.equal(setup.downloads.length, 1)
  })
})

describe('a result and a failing store', () => {
  const broken = () => new StorageUnavailable('broken')

  it('is not downloaded while the store fails', async (t) => {
    const setup = await start(t, { fault: broken() })
    await assert.rejects(setup.deliver(), { message: 'broken' })
    assert.deepEqual([setup.downloads, setup.slots], [[], []])
  })

  it('is not downloaded without disk space', async (t) => {
    const setup = await start(t, { requireSpace: () => Promise.reject(broken()) })
    await assert.rejects(setup.deliver(), { message: 'broken' })
    assert.deepEqual([setup.downloads, setup.slots], [[], []])
  })

  it('is kept completely, and stored later without a second download', async (t) => {
    const store: Partial<FileStore> = { put: () => Promise.reject(broken()) }
    const setup = await start(t, { store })
    await assert.rejects(setup.deliver(), { message: 'broken' })
    const [tempFile = ''] = await setup.temporary()
    assert.match(tempFile, new RegExp(`^${nameOf()}\\.whole\\.`))
    const path = setup.tempDir.createPath('other')
    await writeFile(path, 'x')
    // The same files with a store that works.
    const again = createResults({
      store: setup.store,
      redis,
      keys: setup.keys,
      tempDir: setup.tempDir,
      probe: { confirmedFault: async () => undefined, requireSpace: async () => undefined },
      slots: createDownloadSlots({ total: 1, perHost: 1 }),
      download: () => assert.fail('downloaded again'),
      keepMs: hour,
    })
    assert.deepEqual(await again.deliver(job, [{ url: link }]), [{ url: `/files/${nameOf()}` }])
    assert.equal((await setup.store.stat(`results/${nameOf()}`))?.bytes, video.length)
    assert.equal((await setup.temporary()).length, 1)
  })

  it('that is kept is refreshed with each attempt', async (t) => {
    const setup = await start(t, { store: { put: () => Promise.reject(broken()) } })
    await assert.rejects(setup.deliver())
    const [tempFile = ''] = await setup.temporary()
    await utimes(join(setup.dataDir, 'scratch', tempFile), 0, 0)
    await assert.rejects(setup.deliver())
    assert.equal(await setup.tempDir.removeIdle(60_000), 0)
    assert.equal(setup.downloads.length, 1)
  })
})

describe('the upload of a result', () => {
  /** A store that is busy until its signal is aborted. */
  function uploading() {
    const { promise: started, resolve } = Promise.withResolvers<AbortSignal | undefined>()
    const take: FileStore['put'] = (_, __, signal) => {
      resolve(signal)
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      )
    }
    return { take, started }
  }

  it('ends with a cancel, for the reason of the cancel', async (t) => {
    const { take, started } = uploading()
    const abort = new AbortController()
    const setup = await start(t, { store: { put: take } })
    const delivering = setup.deliver({ signal: abort.signal })
    await Promise.race([started, delivering])
    const reason = new Error('canceled')
    abort.abort(reason)
    await assert.rejects(delivering, (cause) => cause === reason)
  })

  it('does not start after a cancel', async (t) => {
    const abort = new AbortController()
    const reason = new Error('canceled')
    const take: FileStore['put'] = async (_, __, signal) => signal?.throwIfAborted()
    const setup = await start(t, { store: { put: take }, during: async () => abort.abort(reason) })
    await assert.rejects(setup.deliver({ signal: abort.signal }), (cause) => cause === reason)
  })

  it('continues after the deadline of the upstream, which has delivered', async (t) => {
    const abort = new AbortController()
    const aborted: unknown[] = []
    const take: FileStore['put'] = async (_, __, signal) => void aborted.push(signal?.aborted)
    const during = async () => abort.abort(new LinkNotReady('too long'))
    const setup = await start(t, { store: { put: take }, during })
    await setup.deliver({ signal: abort.signal })
    assert.deepEqual(aborted, [false])
  })

  it('fails with its own reason', async (t) => {
    const cause = new StorageUnavailable('broken')
    const setup = await start(t, { store: { put: () => Promise.reject(cause) } })
    const { signal } = new AbortController()
    await assert.rejects(setup.deliver({ signal }), (error) => error === cause)
  })
})

describe('of several files that fail', () => {
  const reasons = {
    bug: new TypeError('bug'),
    useless: new LinkUseless('useless'),
    storage: new StorageUnavailable('storage'),
    notReady: new LinkNotReady('not ready'),
    busy: new DownloadsBusy('cdn.example', 1000),
  }
  const cases: [keyof typeof reasons, keyof typeof reasons][] = [
    ['bug', 'storage'],
    ['useless', 'storage'],
    ['useless', 'notReady'],
    ['storage', 'notReady'],
    ['storage', 'busy'],
    ['notReady', 'busy'],
    ['bug', 'notReady'],
  ]
  for (const [first, second] of cases) {
    it(`${first} decides before ${second}, in whatever order`, async (t) => {
      const content = (url: string) =>
        reasons[url.slice('https://cdn.example/'.length) as keyof typeof reasons]
      const setup = await start(t, { content })
      const links = [first, second].map((name) => `https://cdn.example/${name}`)
      await assert.rejects(setup.deliver({}, links), (cause) => cause === reasons[first])
      await assert.rejects(setup.deliver({}, links.reverse()), (cause) => cause === reasons[first])
    })
  }

  it('the other downloads are awaited', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let downloads = 0
    const during = async () => {
      downloads += 1
      if (downloads === 2) await promise
    }
    const setup = await start(t, {
      during,
      content: (url) => (url === link ? new LinkNotReady('soon') : video),
    })
    let ended = false
    const delivering = setup.deliver({}, [link, 'https://cdn.example/b.mp4']).finally(() => {
      ended = true
    })
    delivering.catch(() => undefined)
    while (downloads < 2) await new Promise((done) => setImmediate(done))
    for (let turns = 0; turns < 50; turns += 1) await new Promise((done) => setImmediate(done))
    assert.equal(ended, false)
    resolve()
    await assert.rejects(delivering, LinkNotReady)
    assert.deepEqual(await setup.stored(), [nameOf(1)])
  })
})

describe('links of upstreams', () => {
  it('are returned if nothing is downloaded', async (t) => {
    const setup = await start(t)
    const results = createResults({
      store: setup.store,
      redis,
      keys: setup.keys,
      tempDir: setup.tempDir,
      probe: { confirmedFault: async () => undefined, requireSpace: async () => undefined },
      slots: createDownloadSlots({ total: 1, perHost: 1 }),
      download: undefined,
      keepMs: hour,
    })
    const videos = [{ url: link }]
    assert.deepEqual(await results.deliver(job, videos), videos)
    assert.deepEqual(await setup.stored(), [])
  })
})

describe('the length of a result', () => {
  it('is that of its file', async (t) => {
    const setup = await start(t)
    const [given = { url: '' }] = await setup.deliver()
    const seconds = await setup.results.readVideoSeconds(given)
    assert.ok(seconds !== undefined && seconds > 0)
  })

  it('is unknown if the file is stored elsewhere', async (t) => {
    const setup = await start(t)
    await setup.deliver()
    assert.equal(await setup.results.readVideoSeconds({ url: `https://cdn.example/${nameOf()}` }), undefined)
  })

  it('is unknown without a file', async (t) => {
    const setup = await start(t)
    assert.equal(await setup.results.readVideoSeconds({ url: `/files/${nameOf()}` }), undefined)
  })
})

describe('the look-up of a result', () => {
  it('finds it', async (t) => {
    const setup = await start(t)
    await setup.deliver()
    const file = await setup.results.findVideo(nameOf())
    assert.ok(file !== undefined && file !== 'gone')
    assert.deepEqual([file.bytes, file.contentType], [video.length, 'video/mp4'])
  })

  it('does not find an unknown result', async (t) => {
    const setup = await start(t)
    assert.equal(await setup.results.findVideo(nameOf()), undefined)
  })

  it('reports an expired result as gone, also before it is removed', async (t) => {
    const setup = await start(t)
    await setup.deliver()
    const path = join(setup.dataDir, 'files/results', nameOf())
    const seconds = (Date.now() - hour) / 1000
    await utimes(path, seconds - 1, seconds - 1)
    assert.equal(await setup.results.findVideo(nameOf()), 'gone')
    await utimes(path, seconds + 60, seconds + 60)
    assert.notEqual(await setup.results.findVideo(nameOf()), 'gone')
  })

  it('expires after the last millisecond of its time', async (t) => {
    const setup = await start(t)
    await setup.deliver()
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    await utimes(join(setup.dataDir, 'files/results', nameOf()), 1_800_000_000 - 3600, 1_800_000_000 - 3600)
    assert.notEqual(await setup.results.findVideo(nameOf()), 'gone')
    t.mock.timers.setTime(1_800_000_000_001)
    assert.equal(await setup.results.findVideo(nameOf()), 'gone')
  })

  it('reports it as gone for 90 days', async (t) => {
    const setup = await start(t)
    await setup.deliver()
    await setup.results.remove(nameOf())
    assert.deepEqual(await setup.stored(), [])
    assert.equal(await setup.results.findVideo(nameOf()), 'gone')
    const seconds = await redis.ttl(setup.keys.deletedFile(nameOf()))
    assert.ok(seconds > 89 * 86_400 && seconds <= 90 * 86_400, `${seconds}`)
  })
})
