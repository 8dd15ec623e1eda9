import assert from 'node:assert/strict'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import type { ServedFile } from '../../../src/media/results/served-file.ts'
import { createThumbnails, isThumbnailKind } from '../../../src/media/results/thumbnails.ts'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import { createTempDir } from '../../../src/media/storage/temp-dir.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { video } from '../files.ts'

/** A mock ffmpeg: records its arguments, then does what the test needs. The last argument is the picture. */
const writes = 'printf picture > "$last"'

async function start(t: TestContext, script = writes, timeoutMs?: number) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const dir = await temporaryFolder(cleanup)
  const calls = join(dir, 'calls')
  const ffmpeg = join(dir, 'ffmpeg')
  await writeFile(ffmpeg, `#!/bin/sh\necho "$@" >> ${calls}\nfor last; do :; done\n${script}\n`)
  await chmod(ffmpeg, 0o755)
  const tempDir = await createTempDir(join(dir, 'scratch'))
  const store = createDiskStore(join(dir, 'files'))
  const opened = { count: 0 }
  const source = {
    bytes: video.length,
    contentType: 'video/mp4',
    storedAt: 0,
    async open() {
      opened.count += 1
      return Readable.from([video])
    },
  } satisfies ServedFile
  return {
    thumbnails: createThumbnails({
      store,
      tempDir,
      ffmpeg,
      ...(timeoutMs !== undefined && { timeoutMs }),
    }),
    source,
    opened,
    store,
    calls: async () =>
      (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
    temporary: () => readdir(join(dir, 'scratch')),
    stored: () => readdir(join(dir, 'files/stills')).catch(() => [] as string[]),
    scratchDir: join(dir, 'scratch'),
  }
}

describe('a thumbnail of a video', () => {
  for (const [still, filter] of [
    ['thumbnail', 'scale=640:-2,thumbnail=24'],
    ['spritesheet', 'fps=2,scale=160:-2,tile=5x4'],
  ] as const) {
    it(`${still}: ffmpeg can open this file only, in formats without references`, async (t) => {
      const setup = await start(t)
      await setup.thumbnails.findOrCreate('a.mp4', setup.source, still)
      const [call = ''] = await setup.calls()
      const formats = 'mov,matroska,avi,flv,mpegts,mpeg,mpegvideo,ogg,asf,gif'
      const memory = '-max_alloc 536870912 -max_pixels 100000000 -threads 2'
      const before = `-nostdin -v error ${memory} -protocol_whitelist file -format_whitelist ${formats} -i `
      assert.ok(call.startsWith(`${before}${setup.scratchDir}/still.`), call)
      assert.match(
        call.slice(before.length),
        new RegExp(
          `^\\S+ -vf ${filter} -frames:v 1 -q:v 4 -f image2 -c:v mjpeg -y ${setup.scratchDir}/picture\\.\\S+$`,
        ),
      )
    })
  }

  it('is stored, and no temporary file is left', async (t) => {
    const setup = await start(t)
    const picture = await setup.thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail')
    assert.match(picture?.name ?? '', /^[0-9a-f]{40}\.jpg$/)
    assert.deepEqual([picture?.contentType, picture?.bytes], ['image/jpeg', 7])
    assert.deepEqual(await setup.stored(), [picture?.name])
    assert.deepEqual(await setup.temporary(), [])
    assert.ok(picture)
    assert.equal((await buffer(await picture.open())).toString(), 'picture')
    assert.equal((await buffer(await picture.open({ start: 1, end: 2 }))).toString(), 'ic')
  })

  it('is found by its name', async (t) => {
    const setup = await start(t)
    const made = await setup.thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail')
    assert.equal((await setup.thumbnails.find(made?.name ?? ''))?.name, made?.name)
    assert.equal(await setup.thumbnails.find('other.jpg'), undefined)
  })

  it('is created once', async (t) => {
    const setup = await start(t)
    const make = () => setup.thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail')
    await Promise.all([make(), make()])
    await make()
    assert.equal((await setup.calls()).length, 1)
  })

  it('is created again after it was removed', async (t) => {
    const setup = await start(t)
    for (const still of ['thumbnail', 'spritesheet'] as const)
      await setup.thumbnails.findOrCreate('a.mp4', setup.source, still)
    assert.equal((await setup.stored()).length, 2)
    await setup.thumbnails.remove('a.mp4')
    assert.deepEqual(await setup.stored(), [])
    assert.ok(await setup.thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail'))
  })

  it('has a name for each video and each kind', async (t) => {
    const setup = await start(t)
    const names = new Set<string | undefined>()
    for (const name of ['a.mp4', 'b.mp4'])
      for (const still of ['thumbnail', 'spritesheet'] as const)
        names.add((await setup.thumbnails.findOrCreate(name, setup.source, still))?.name)
    assert.equal(names.size, 4)
  })

  for (const [what, script] of [
    ['ffmpeg fails', `${writes}; exit 1`],
    ['ffmpeg writes nothing', 'exit 0'],
    ['ffmpeg writes an empty file', ': > "$last"'],
  ] as const) {
    it(`is missing when ${what}`, async (t) => {
      const setup = await start(t, script)
      assert.equal(await setup.thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail'), undefined)
      assert.deepEqual([await setup.stored(), await setup.temporary()], [[], []])
    })
  }

  it('is missing when ffmpeg hangs and ignores SIGTERM: it is killed', { timeout: 30_000 }, async (t) => {
    const hangs = 'for n in $(seq 100); do sleep 0.05; done'
    const script = `trap '' TERM; printf begun > "$last.log"; ${hangs}; printf ended >> "$last.log"`
    const setup = await start(t, script, 500)
    assert.equal(await setup.thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail'), undefined)
    const [tempFile = ''] = await setup.temporary()
    assert.equal(await readFile(join(setup.scratchDir, tempFile), 'utf8'), 'begun')
  })

  it('is missing without ffmpeg', async (t) => {
    const setup = await start(t)
    const cleanup = createCleanup()
    t.after(() => cleanup.run())
    const tempDir = await createTempDir(await temporaryFolder(cleanup))
    const thumbnails = createThumbnails({ store: setup.store, tempDir, ffmpeg: '/absent/ffmpeg' })
    assert.equal(await thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail'), undefined)
  })

  it('with an unreadable video fails, and leaves nothing', async (t) => {
    const setup = await start(t)
    const source = { ...setup.source, open: () => Promise.reject(new Error('broken')) }
    for (let tries = 0; tries < 3; tries += 1)
      await assert.rejects(setup.thumbnails.findOrCreate('a.mp4', source, 'thumbnail'), { message: 'broken' })
    assert.deepEqual(await setup.temporary(), [])
    assert.ok(await setup.thumbnails.findOrCreate('a.mp4', setup.source, 'thumbnail'))
  })

  it('has one of two names', () => {
    assert.deepEqual(['thumbnail', 'spritesheet', 'poster'].map(isThumbnailKind), [true, true, false])
  })

  for (const word of ['constructor', 'toString', '__proto__'])
    it(`${word} is not one of its names`, () => assert.equal(isThumbnailKind(word), false))
})
