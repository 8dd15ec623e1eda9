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

describe('a check of the storage', () => {
  it('stores a file, finds it and removes it', async (t) => {
    const { probe, calls, filesLeft, log } = await start(t)
    await probe.check()
    assert.equal(probe.fault(), undefined)
    assert.deepEqual(calls, ['take', 'stat', 'remove'])
    assert.deepEqual(await filesLeft(), [])
    assert.deepEqual(log, [])
  })

  it('stores a file that is not empty, below a folder of its own', async (t) => {
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

  it('a store that takes nothing is a fault, and no temporary file is left', async (t) => {
    const { probe, filesLeft, log } = await start(t, { put: () => Promise.reject(broken()) })
    await probe.check()
    assert.equal(probe.fault()?.message, 'broken')
    assert.deepEqual(await filesLeft(), [])
    assert.deepEqual(log, ['error: Storage cannot take files: results wait, submits are rejected'])
  })

  it('an error that is no fault of storage becomes one', async (t) => {
    const { probe } = await start(t, { put: () => Promise.reject(new TypeError('bug')) })
    await probe.check()
    assert.deepEqual(
      [probe.fault()?.name, probe.fault()?.message],
      ['StorageUnavailable', 'Cannot store a file: TypeError'],
    )
  })

  it('a file that is not found afterwards is a fault', async (t) => {
    const { probe } = await start(t, { stat: async () => undefined })
    await probe.check()
    assert.match(probe.fault()?.message ?? '', /^Cannot find probes\/.* after it was stored$/)
  })

  it('a file that lost bytes is a fault', async (t) => {
    const { probe } = await start(t, { stat: async () => ({ bytes: 45, storedAt: 0 }) })
    await probe.check()
    assert.match(probe.fault()?.message ?? '', /^Cannot find/)
  })

  it('a file that cannot be removed is none; the log says so once', async (t) => {
    const { probe, log } = await start(t, { remove: () => Promise.reject(broken()) })
    await probe.check()
    assert.equal(log.length, 1)
    await probe.check()
    assert.equal(probe.fault(), undefined)
    assert.deepEqual(log, ['warn: Storage cannot remove files; old files will stay'])
  })

  it('the log tells of the begin and the end of a fault, once each', async (t) => {
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

  it('two at once are one', async (t) => {
    const { probe, calls } = await start(t)
    await Promise.all([probe.check(), probe.check()])
    assert.equal(calls.length, 3)
    await probe.check()
    assert.equal(calls.length, 6)
  })
})

describe('the free space of the disk', () => {
  const space = (freeBytes: number) => ({ floorBytes: 10 * megabyte, readFreeBytes: async () => freeBytes })

  it('at the floor is enough', async (t) => {
    const { probe } = await start(t, {}, space(10 * megabyte))
    await probe.requireSpace()
  })

  it('below the floor the disk is full', async (t) => {
    const { probe } = await start(t, {}, space(10 * megabyte - 1))
    await assert.rejects(probe.requireSpace(), {
      name: 'StorageUnavailable',
      isFull: true,
      message: 'Too little free disk space: 9 MB, DISK_FREE_FLOOR_MB is 10 MB',
    })
  })

  it('too little of it is a fault, and nothing is stored', async (t) => {
    const { probe, calls } = await start(t, {}, space(0))
    await probe.check()
    assert.equal(probe.fault()?.isFull, true)
    assert.deepEqual(calls, [])
  })

  it('is not read where there is no floor', async (t) => {
    const { probe } = await start(t, {}, { readFreeBytes: () => assert.fail('read') })
    await probe.requireSpace()
  })

  it('that cannot be read is a fault of storage', async (t) => {
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

  it('is read where the data is', async (t) => {
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

  it('counts for less where checks are more frequent', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const { probe, calls } = await start(t, {}, { everyMs: 100 })
    await probe.currentFault()
    t.mock.timers.setTime(1_000_101)
    await probe.currentFault()
    assert.equal(calls.length, 6)
  })

  it('its fault is reported', async (t) => {
    const { probe } = await start(t, { put: () => Promise.reject(broken()) })
    assert.equal((await probe.currentFault())?.message, 'broken')
  })

  it('without a fault is not repeated for a confirmation', async (t) => {
    const { probe, calls } = await start(t)
    assert.equal(await probe.confirmedFault(), undefined)
    assert.deepEqual(calls, [])
  })

  it('with a fault is repeated for a confirmation when it is old', async (t) => {
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
  /** Lets pending input and output happen while the clock is the test's own. */
  const settle = async (isDone: () => boolean, most = 100_000) => {
    for (let turns = 0; turns < most && !isDone(); turns += 1)
      await new Promise((resolve) => setImmediate(resolve))
  }

  it('begin at the start and go on', async (t) => {
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

  it('end with the gateway, after the check that is under way', async (t) => {
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

  it('none comes after the end', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { probe, calls } = await start(t)
    await probe.start()
    await probe.stop()
    t.mock.timers.tick(600_000)
    await settle(() => calls.length > 3, 200)
    assert.equal(calls.length, 3)
  })

  it('none comes after an end during the first check', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { probe, calls } = await start(t)
    const starting = probe.start()
    await probe.stop()
    await starting
    t.mock.timers.tick(600_000)
    for (let turns = 0; turns < 200; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(calls.length, 3)
  })

  it('a store that hangs does not hold up the start', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { probe, calls } = await start(t, { put: () => promise }, { startMs: 20 })
    await probe.start()
    assert.deepEqual(calls, ['take'])
    resolve()
  })

  it('the start waits for the first check', async (t) => {
    const { probe, calls } = await start(t)
    await probe.start()
    assert.equal(calls.length, 3)
  })
})

describe('a look-up in a store with a probe', () => {
  const denied = () => new StorageUnavailable('denied', { isForbidden: true })
  const full = () => new StorageUnavailable('full', { isFull: true })
  type Faults = { confirmed?: StorageUnavailable; current?: StorageUnavailable }
  const create = (stat: FileStore['stat'], { confirmed, current }: Faults = {}) =>
    withProbe({ stat, close: () => undefined } as FileStore, {
      confirmedFault: async () => confirmed,
      currentFault: async () => current,
    })
  const file = { bytes: 1, storedAt: 2 }

  it('a file that is there is found, whatever the store can take', async () => {
    assert.equal(await create(async () => file, { confirmed: broken() }).stat('a'), file)
  })

  it('an absent file is absent', async () => {
    assert.equal(await create(async () => undefined).stat('a'), undefined)
  })

  it('a file that is not found in a broken store is not absent', async () => {
    await assert.rejects(create(async () => undefined, { confirmed: broken() }).stat('a'), {
      message: 'broken',
    })
  })

  it('a full store tells the truth about absent files', async () => {
    assert.equal(await create(async () => undefined, { confirmed: full() }).stat('a'), undefined)
  })

  it('a denied look-up is an absent file where the store works', async () => {
    assert.equal(await create(() => Promise.reject(denied())).stat('a'), undefined)
  })

  it('a denied look-up is a fault where the store does not work', async () => {
    await assert.rejects(create(() => Promise.reject(denied()), { current: broken() }).stat('a'), {
      message: 'denied',
    })
  })

  it('another fault of storage stays one', async () => {
    await assert.rejects(create(() => Promise.reject(broken())).stat('a'), { message: 'broken' })
  })

  it('an error that only looks like a denied one stays one', async () => {
    await assert.rejects(create(() => Promise.reject({ isForbidden: true })).stat('a'), { isForbidden: true })
  })

  it('all else is the store’s own', () => {
    assert.equal(typeof create(async () => undefined).close, 'function')
  })
})
