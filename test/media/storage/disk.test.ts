import assert from 'node:assert/strict'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'

async function start(t: TestContext) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const dir = await temporaryFolder(cleanup)
  const root = join(dir, 'files')
  const store = createDiskStore(root)
  /** Stores a file of these bytes. */
  const put = async (name: string, text: string) => {
    await writeFile(join(dir, 'new'), text)
    await store.put(name, join(dir, 'new'))
  }
  return { dir, root, store, put }
}

describe('files on disk', () => {
  it('the first file creates the folders', async (t) => {
    const { store, put, dir } = await start(t)
    await put('results/a', 'one')
    assert.equal((await buffer(await store.open('results/a'))).toString(), 'one')
    assert.deepEqual(await readdir(dir), ['files'])
  })

  it('a file replaces what had its name', async (t) => {
    const { store, put } = await start(t)
    await put('results/a', 'one')
    await put('results/a', 'second')
    assert.equal((await buffer(await store.open('results/a'))).toString(), 'second')
  })

  it('a missing file cannot be stored', async (t) => {
    const { store, dir } = await start(t)
    await assert.rejects(store.put('results/a', join(dir, 'absent')), {
      name: 'StorageUnavailable',
      message: 'Cannot store results/a on the disk store: ENOENT',
    })
  })

  it('a name of a folder cannot be used, and nothing is created', async (t) => {
    const { store, put, root } = await start(t)
    await mkdir(join(root, 'results/a/inner'), { recursive: true })
    await assert.rejects(put('results/a', 'one'), { message: /Cannot store results\/a on the disk store: E/ })
    assert.deepEqual(await readdir(join(root, 'results/a')), ['inner'])
    assert.equal(await store.stat('results/b'), undefined)
  })

  it('a file is found with its size and when it was stored', async (t) => {
    const { store, put, root } = await start(t)
    await put('results/a', 'one')
    await utimes(join(root, 'results/a'), 1000.5678, 1000.5678)
    assert.deepEqual(await store.stat('results/a'), { bytes: 3, storedAt: 1_000_567 })
  })

  it('a missing file is not found', async (t) => {
    const { store, put } = await start(t)
    assert.equal(await store.stat('results/a'), undefined)
    await put('results/a', 'one')
    assert.equal(await store.stat('results/b'), undefined)
  })

  it('a failed lookup is a storage fault', async (t) => {
    const { store, put } = await start(t)
    await put('results/a', 'one')
    await assert.rejects(store.stat('results/a/b'), {
      name: 'StorageUnavailable',
      message: 'Cannot look up results/a/b on the disk store: ENOTDIR',
    })
  })

  it('a part of a file can be read', async (t) => {
    const { store, put } = await start(t)
    await put('results/a', '0123456789')
    assert.equal((await buffer(await store.open('results/a', { start: 2, end: 4 }))).toString(), '234')
  })

  it('an absent file cannot be read: the system error is thrown', async (t) => {
    const { store } = await start(t)
    await assert.rejects(store.open('results/a'), { code: 'ENOENT' })
    await assert.rejects(store.openLocal('results/a'), { code: 'ENOENT' })
  })

  it('an unreadable file is a storage fault', async (t) => {
    const { store, put } = await start(t)
    await put('results/a', 'one')
    await assert.rejects(store.openLocal('results/a/b'), {
      name: 'StorageUnavailable',
      message: 'Cannot read results/a/b on the disk store: ENOTDIR',
    })
  })

  it('a file is opened for reading only', async (t) => {
    const { store, put } = await start(t)
    await put('results/a', 'one')
    const file = await store.openLocal('results/a')
    t.after(() => file.close())
    assert.equal((await file.readFile()).toString(), 'one')
    await assert.rejects(file.write('x'), { code: 'EBADF' })
  })

  it('a removed file is gone, and an absent one is removed already', async (t) => {
    const { store, put } = await start(t)
    await put('results/a', 'one')
    await store.remove('results/a')
    assert.equal(await store.stat('results/a'), undefined)
    await store.remove('results/a')
  })

  it('a failed removal is a storage fault', async (t) => {
    const { store, root } = await start(t)
    await mkdir(join(root, 'results/a'), { recursive: true })
    await assert.rejects(store.remove('results/a'), {
      name: 'StorageUnavailable',
      message: /^Cannot remove results\/a on the disk store: E/,
    })
  })

  it('a folder lists its files with their times', async (t) => {
    const { store, put, root } = await start(t)
    await put('results/a', 'one')
    await put('other/b', 'one')
    await utimes(join(root, 'results/a'), 2000, 2000)
    const names = []
    for await (const file of store.list('results')) names.push(file)
    assert.deepEqual(names, [{ name: 'results/a', storedAt: 2_000_000 }])
  })

  it('a file that is removed during the listing is omitted', async (t) => {
    const { store, put } = await start(t)
    await put('results/a', 'one')
    await put('results/b', 'one')
    const names: string[] = []
    for await (const { name } of store.list('results')) {
      names.push(name)
      await store.remove('results/a')
      await store.remove('results/b')
    }
    assert.equal(names.length, 1)
  })

  it('an absent folder is empty', async (t) => {
    const { store } = await start(t)
    for await (const { name } of store.list('results')) assert.fail(name)
  })

  it('a failed listing is a storage fault', async (t) => {
    const { store, put } = await start(t)
    await put('results', 'a file')
    await assert.rejects(store.list('results')[Symbol.asyncIterator]().next(), {
      name: 'StorageUnavailable',
      message: 'Cannot list results on the disk store: ENOTDIR',
    })
  })
})
