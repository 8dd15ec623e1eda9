import assert from 'node:assert/strict'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createRetention } from '../../src/media/retention.ts'
import { createDiskStore } from '../../src/media/storage/disk.ts'
import type { FileStore } from '../../src/media/storage/file-store.ts'
import { StorageUnavailable } from '../../src/media/storage/storage-fault.ts'
import { createTempDir } from '../../src/media/storage/temp-dir.ts'
import { createCleanup, quiet, temporaryFolder } from '../support/setup.ts'

const now = 1_800_000_000_000
const hour = 3_600_000
const day = 24 * hour

async function start(t: TestContext, changes: Partial<FileStore> = {}, attachments: string[] = []) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const dataDir = await temporaryFolder(cleanup)
  const tempDir = await createTempDir(join(dataDir, 'scratch'))
  const log: string[] = []
  const logger = Object.create(quiet) as typeof quiet
  for (const level of ['info', 'warn'] as const)
    logger[level] = ((...args: unknown[]) => log.push(`${level}: ${args.at(-1)}`)) as never
  const disk = createDiskStore(join(dataDir, 'files'))
  const store = { ...disk, ...changes }
  const forgotten: string[] = []
  const retention = createRetention({
    store,
    tempDir,
    results: { remove: async (name: string) => void forgotten.push(name) } as never,
    library: { exists: async (id: string) => attachments.includes(id) } as never,
    resultsKeptMs: 7 * day,
    logger,
  })
  t.after(() => retention.stop())
  return {
    retention,
    log,
    forgotten,
    /** A file with the given age since its last write. */
    async put(name: string, ageMs: number) {
      const path = join(dataDir, name)
      await mkdir(join(path, '..'), { recursive: true })
      await writeFile(path, 'x')
      await utimes(path, (now - ageMs) / 1000, (now - ageMs) / 1000)
    },
    files: (folder: string) => readdir(join(dataDir, folder)).catch(() => [] as string[]),
  }
}

describe('the retention time of a file', () => {
  for (const [folder, keptMs] of [
    ['files/inputs', 2 * day],
    ['files/stills', 7 * day],
    ['files/library', hour],
  ] as const) {
    it(`in ${folder}: it is removed afterwards, not before`, async (t) => {
      const setup = await start(t)
      await setup.put(`${folder}/old`, keptMs + 1)
      await setup.put(`${folder}/edge`, keptMs)
      await setup.put(`${folder}/young`, 0)
      await setup.retention.sweep(now)
      assert.deepEqual((await setup.files(folder)).sort(), ['edge', 'young'])
    })
  }

  it('of a result: its name expires, too', async (t) => {
    const setup = await start(t)
    await setup.put('files/results/old.mp4', 7 * day + 1)
    await setup.put('files/results/edge.mp4', 7 * day)
    await setup.retention.sweep(now)
    assert.deepEqual(setup.forgotten, ['old.mp4'])
  })

  it('of an attachment does not end while it has a record', async (t) => {
    const setup = await start(t, {}, ['att_1'])
    await setup.put('files/library/att_1', 100 * day)
    await setup.retention.sweep(now)
    assert.deepEqual(await setup.files('files/library'), ['att_1'])
  })

  it('of a temporary file ends after an hour without a write, which is logged', async (t) => {
    const setup = await start(t)
    await setup.put('scratch/old', hour)
    await setup.put('scratch/young', hour - 1)
    await setup.retention.sweep(now)
    assert.deepEqual(await setup.files('scratch'), ['young'])
    assert.deepEqual(setup.log, ['info: half files removed'])
  })

  it('is not logged if nothing was removed', async (t) => {
    const setup = await start(t)
    await setup.retention.sweep(now)
    assert.deepEqual(setup.log, [])
  })
})

describe('a bucket without list permission', () => {
  const failing = (isForbidden: boolean): Partial<FileStore> => ({
    // biome-ignore lint/correctness/useYield: it fails before its first file
    async *list() {
      throw new StorageUnavailable('denied', { isForbidden })
    },
  })

  it('keeps its old files, which is logged once', async (t) => {
    const setup = await start(t, failing(true))
    await setup.retention.sweep(now)
    await setup.retention.sweep(now)
    assert.deepEqual(setup.log, [
      'warn: The bucket may not be listed (s3:ListBucket): old files are not removed',
    ])
  })

  it('is a fault for another reason', async (t) => {
    const setup = await start(t, failing(false))
    await assert.rejects(setup.retention.sweep(now), { message: 'denied' })
    assert.deepEqual(setup.log, [])
  })

  it('throws an internal error', async (t) => {
    const setup = await start(t, {
      // biome-ignore lint/correctness/useYield: it fails before its first file
      async *list() {
        throw Object.assign(new TypeError('bug'), { isForbidden: true })
      },
    })
    await assert.rejects(setup.retention.sweep(now), { message: 'bug' })
  })
})

describe('regular sweeps', () => {
  const turn = async (turns = 400) => {
    for (let count = 0; count < turns; count += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Counts sweeps by the first folder that each one lists. */
  async function counted(t: TestContext, fails = false) {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const count = { sweeps: 0 }
    const setup = await start(t, {
      async *list(folder) {
        if (folder === 'inputs') count.sweeps += 1
        if (fails) throw new Error('broken')
        yield* [] as { name: string; storedAt: number }[]
      },
    })
    const sweeps = async (expected: number) => {
      for (let tries = 0; tries < 200 && count.sweeps < expected; tries += 1) await turn(50)
      await turn()
      assert.equal(count.sweeps, expected)
    }
    return { ...setup, sweeps, tick: (ms: number) => t.mock.timers.tick(ms) }
  }

  it('start after a second, and run every ten minutes', async (t) => {
    const { retention, tick, sweeps } = await counted(t)
    retention.start()
    tick(999)
    await sweeps(0)
    tick(1)
    await sweeps(1)
    tick(599_999)
    await sweeps(1)
    tick(1)
    await sweeps(2)
  })

  it('continue after a failure, which is logged', async (t) => {
    const { retention, tick, sweeps, log } = await counted(t, true)
    retention.start()
    tick(1000)
    await sweeps(1)
    assert.deepEqual(log, ['warn: old files could not be removed'])
    tick(600_000)
    await sweeps(2)
  })

  it('stop with the gateway', async (t) => {
    const { retention, tick, sweeps } = await counted(t)
    retention.start()
    await retention.stop()
    tick(10_000)
    await sweeps(0)
  })

  it('do not start after the stop, also if one was running', async (t) => {
    const { retention, tick, sweeps } = await counted(t)
    retention.start()
    tick(1000)
    await retention.stop()
    await sweeps(1)
    tick(600_000)
    await sweeps(1)
  })
})
