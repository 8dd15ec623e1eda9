import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import type { FileStore } from '../../../src/media/storage/file-store.ts'
import { createStorageProbe, withProbe } from '../../../src/media/storage/probe.ts'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { createTempDir } from '../../../src/media/storage/temp-dir.ts'
import { createCleanup, quiet, temporaryFolder } from '../../support/setup.ts'

const megabyte = 1024 * 1024
const broken = () => new StorageUnavailable('broken')

/** A probe of a real disk store, parts of which a test can replace. */
async function start(t: TestContext, changes: Partial<FileStore> = {}, options = {}) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const dataDir = await temporaryFolder(cleanup)
  const disk = createDiskStore(join(dataDir, 'files'))
  const calls: string[] = []
  const store: FileStore = {
    ...disk,
    async put(name, path) {
      calls.push('take')
      await (changes.put ?? disk.put)(name, path)
    },
    async stat(name) {
      calls.push('stat')
      return (changes.stat ?? disk.stat)(name)
    },
    async remove(name) {
      calls.push('remove')
      await (changes.remove ?? disk.remove)(name)
    },
  }
  const tempDir = await createTempDir(join(dataDir, 'scratch'))
  const log: string[] = []
  const logger = Object.create(quiet) as typeof quiet
  for (const level of ['info', 'warn', 'error'] as const)
    logger[level] = ((...args: unknown[]) => log.push(`${level}: ${args.at(-1)}`)) as never
  const probe = createStorageProbe({
    store,
    tempDir,
    dataDir,
    floorBytes: 0,
    everyMs: 60_000,
    logger,
    ...options,
  })
  t.after(() => probe.stop())
  const filesLeft = async () => [
    ...(await readdir(join(dataDir, 'scratch'))),
    ...(await readdir(join(dataDir, 'files/probes')).catch(() => [])),
  ]
  return { probe, calls, log, changes, filesLeft, dataDir }
}

describe('a storage probe', () => {
  it('stores a file, finds it and removes it', async (t) => {
    const { probe, calls, filesLeft, log } = await start(t)
    await probe.check()
    assert.equal(probe.fault(), undefined)
    assert.deepEqual(calls, ['take', 'stat', 'remove'])
    assert.deepEqual(await filesLeft(), [])
    assert.deepEqual(log, [])
  })

  it('stores a file that is not empty, below its own folder', async (t) => {
    let stored = ''
    const { probe } = await start(t, {
      put: async (name) => {
        stored = name
      },
      stat: async () => ({ bytes: 46, storedAt: 0 }),
    })
    await probe.check()
    assert.match(stored, /^probes\/[0-9a-f-]{36}$/)
    assert.equal(probe.fault(), undefined)
  })

  it('reports a store that cannot write, and leaves no temporary file', async (t) => {
    const { probe, filesLeft, log } = await start(t, { put: () => Promise.reject(broken()) })
    await probe.check()
    assert.equal(probe.fault()?.message, 'broken')
    assert.deepEqual(await filesLeft(), [])
    assert.deepEqual(log, ['error: Storage cannot take files: results wait, submits are rejected'])
  })

  it('turns another error into a storage fault', async (t) => {
    const { probe } = await start(t, { put: () => Promise.reject(new TypeError('bug')) })
    await probe.check()
    assert.deepEqual(
      [probe.fault()?.name, probe.fault()?.message],
      ['StorageUnavailable', 'Cannot store a file: TypeError'],
    )
  })

  it('reports a file that is missing afterwards', async (t) => {
    const { probe } = await start(t, { stat: async () => undefined })
    await probe.check()
    assert.match(probe.fault()?.message ?? '', /^Cannot find probes\/.* after it was stored$/)
  })

  it('reports a truncated file', async (t) => {
    const { probe } = await start(t, { stat: async () => ({ bytes: 45, storedAt: 0 }) })
    await probe.check()
    assert.match(probe.fault()?.message ?? '', /^Cannot find/)
  })

  it('accepts a file that cannot be removed, which is logged once', async (t) => {
    const { probe, log } = await start(t, { remove: () => Promise.reject(broken()) })
    await probe.check()
    assert.equal(log.length, 1)
    await probe.check()
    assert.equal(probe.fault(), undefined)
    assert.deepEqual(log, ['warn: Storage cannot remove files; old files will stay'])
  })

  it('logs the start and the end of a fault, once each', async (t) => {
    const { probe, log, changes } = await start(t, { put: () => Promise.reject(broken()) })
    await probe.check()
    await probe.check()
    delete changes.put
    await probe.check()
    await probe.check()
    assert.equal(probe.fault(), undefined)
    assert.deepEqual(log, [
      'error: Storage cannot take files: results wait, submits are rejected',
      'info: Storage takes files again',
    ])
  })

  it('runs once for two concurrent calls', async (t) => {
    const { probe, calls } = await start(t)
    await Promise.all([probe.check(), probe.check()])
    assert.equal(calls.length, 3)
    await probe.check()
    assert.equal(calls.length, 6)
  })
})

describe('the free space of the disk', () => {
  const space = (freeBytes: number) => ({ floorBytes: 10 * megabyte, readFreeBytes: async () => freeBytes })

  it('is enough at exactly the floor', async (t) => {
    const { probe } = await start(t, {}, space(10 * megabyte))
    await probe.requireSpace()
  })

  it('means a full disk below the floor', async (t) => {
    const { probe } = await start(t, {}, space(10 * megabyte - 1))
    await assert.rejects(probe.requireSpace(), {
      name: 'StorageUnavailable',
      isFull: true,
      message: 'Too little free disk space: 9 MB, DISK_FREE_FLOOR_MB is 10 MB',
    })
  })

  it('is a fault below the floor, and nothing is stored', async (t) => {
    const { probe, calls } = await start(t, {}, space(0))
    await probe.check()
    assert.equal(probe.fault()?.isFull, true)
    assert.deepEqual(calls, [])
  })

  it('is not read without a floor', async (t) => {
    const { probe } = await start(t, {}, { readFreeBytes: () => assert.fail('read') })
    await probe.requireSpace()
  })

  it('is a storage fault if it cannot be read', async (t) => {
    const readFreeBytes = () => Promise.reject(Object.assign(new Error('x'), { code: 'EIO' }))
    const { probe } = await start(t, {}, { floorBytes: 1, readFreeBytes })
    await assert.rejects(probe.requireSpace(), { message: 'Cannot read the free disk space: EIO' })
  })

  it('is that of the real disk', async (t) => {
    const { probe } = await start(t, {}, { floorBytes: 1 })
    await probe.requireSpace()
    const { probe: greedy } = await start(t, {}, { floorBytes: 2 ** 70 })
    await assert.rejects(greedy.requireSpace(), {
      name: 'StorageUnavailable',
      message: /space: [1-9]\d{2,} MB,/,
    })
  })

  it('is read in the data folder', async (t) => {
    let read = ''
    const readFreeBytes = async (dir: string) => {
      read = dir
      return 1
    }
    const { probe, dataDir } = await start(t, {}, { floorBytes: 1, readFreeBytes })
    await probe.requireSpace()
    assert.equal(read, dataDir)
  })
})

describe('the last check', () => {
  it('counts for five seconds', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const { probe, calls } = await start(t)
    await probe.currentFault()
    assert.equal(calls.length, 3)
    t.mock.timers.setTime(1_005_000)
    await probe.currentFault()
    assert.equal(calls.length, 3)
    t.mock.timers.setTime(1_005_001)
    await probe.currentFault()
    assert.equal(calls.length, 6)
  })

  it('counts for less time if checks are more frequent', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const { probe, calls } = await start(t, {}, { everyMs: 100 })
    await probe.currentFault()
    t.mock.timers.setTime(1_000_101)
    await probe.currentFault()
    assert.equal(calls.length, 6)
  })

  it('reports its fault', async (t) => {
    const { probe } = await start(t, { put: () => Promise.reject(broken()) })
    assert.equal((await probe.currentFault())?.message, 'broken')
  })

  it('without a fault is not repeated for confirmation', async (t) => {
    const { probe, calls } = await start(t)
    assert.equal(await probe.confirmedFault(), undefined)
    assert.deepEqual(calls, [])
  })

  it('with a fault is repeated for confirmation when it is old', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const { probe, changes } = await start(t, { put: () => Promise.reject(broken()) })
    await probe.check()
    delete changes.put
    assert.equal((await probe.confirmedFault())?.message, 'broken')
    t.mock.timers.setTime(1_005_001)
    assert.equal(await probe.confirmedFault(), undefined)
  })
})

describe('regular checks', () => {
  /** Waits for pending I/O with a mocked clock. */
  const settle = async (isDone: () => boolean, most = 100_000) => {
    for (let turns = 0; turns < most && !isDone(); turns += 1)
      await new Promise((resolve) => setImmediate(resolve))
  }

  it('start with the gateway and continue', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { probe, calls } = await start(t)
    await probe.start()
    assert.equal(calls.length, 3)
    t.mock.timers.tick(59_999)
    assert.equal(calls.length, 3)
    t.mock.timers.tick(1)
    await settle(() => calls.length === 6)
    assert.equal(calls.length, 6)
  })

  it('stop with the gateway, after the running check', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { probe, calls } = await start(t, { put: () => promise })
    const checking = probe.check()
    let stopped = false
    const stopping = probe.stop().then(() => {
      stopped = true
    })
    await settle(() => calls.length > 0)
    assert.equal(stopped, false)
    resolve()
    await Promise.all([checking, stopping])
  })

  it('do not run after the stop', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { probe, calls } = await start(t)
    await probe.start()
    await probe.stop()
    t.mock.timers.tick(600_000)
    await settle(() => calls.length > 3, 200)
    assert.equal(calls.length, 3)
  })

  it('do not run after a stop during the first check', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { probe, calls } = await start(t)
    const starting = probe.start()
    await probe.stop()
    await starting
    t.mock.timers.tick(600_000)
    for (let turns = 0; turns < 200; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(calls.length, 3)
  })

  it('do not delay the start if the store hangs', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { probe, calls } = await start(t, { put: () => promise }, { startMs: 20 })
    await probe.start()
    assert.deepEqual(calls, ['take'])
    resolve()
  })

  it('are awaited once at the start', async (t) => {
    const { probe, calls } = await start(t)
    await probe.start()
    assert.equal(calls.length, 3)
  })
})

describe('a lookup in a store with a probe', () => {
  const denied = () => new StorageUnavailable('denied', { isForbidden: true })
  const full = () => new StorageUnavailable('full', { isFull: true })
  type Faults = { confirmed?: StorageUnavailable; current?: StorageUnavailable }
  const create = (stat: FileStore['stat'], { confirmed, current }: Faults = {}) =>
    withProbe({ stat, close: () => undefined } as FileStore, {
      confirmedFault: async () => confirmed,
      currentFault: async () => current,
    })
  const file = { bytes: 1, storedAt: 2 }

  it('finds an existing file, even if the store is full', async () => {
    assert.equal(await create(async () => file, { confirmed: broken() }).stat('a'), file)
  })

  it('does not find an absent file', async () => {
    assert.equal(await create(async () => undefined).stat('a'), undefined)
  })

  it('throws instead of reporting an absent file in a broken store', async () => {
    await assert.rejects(create(async () => undefined, { confirmed: broken() }).stat('a'), {
      message: 'broken',
    })
  })

  it('reports absent files in a full store', async () => {
    assert.equal(await create(async () => undefined, { confirmed: full() }).stat('a'), undefined)
  })

  it('treats a denied lookup as an absent file if the store works', async () => {
    assert.equal(await create(() => Promise.reject(denied())).stat('a'), undefined)
  })

  it('throws for a denied lookup if the store does not work', async () => {
    await assert.rejects(create(() => Promise.reject(denied()), { current: broken() }).stat('a'), {
      message: 'denied',
    })
  })

  it('throws other storage faults', async () => {
    await assert.rejects(create(() => Promise.reject(broken())).stat('a'), { message: 'broken' })
  })

  it('throws an error that only looks like a denied lookup', async () => {
    await assert.rejects(create(() => Promise.reject({ isForbidden: true })).stat('a'), { isForbidden: true })
  })

  it('passes on all other calls', () => {
    assert.equal(typeof create(async () => undefined).close, 'function')
  })
})
