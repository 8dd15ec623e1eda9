import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { createThumbnails } from '../../../src/media/results/thumbnails.ts'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import { createTempDir } from '../../../src/media/storage/temp-dir.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { video } from '../files.ts'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

async function start(t: TestContext, ffmpeg = 'ffmpeg') {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const dir = await temporaryFolder(cleanup)
  const tempDir = await createTempDir(join(dir, 'scratch'))
  const thumbnails = createThumbnails({ store: createDiskStore(join(dir, 'files')), tempDir, ffmpeg })
  const draw = (content: string | Buffer) =>
    thumbnails.findOrCreate(
      'a.mp4',
      {
        bytes: content.length,
        contentType: 'video/mp4',
        storedAt: 0,
        open: async () => Readable.from([Buffer.from(content)]),
      },
      'thumbnail',
    )
  return { dir, draw }
}

/** Files that reference another file, one per format that ffmpeg reads. */
const pointers: Record<string, (target: string) => string> = {
  'an HLS playlist': (target) =>
    `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${target}\n#EXT-X-ENDLIST\n`,
  'an HLS playlist with an init segment': (target) =>
    `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:10\n#EXT-X-MAP:URI="${target}"\n#EXTINF:10,\n${target}\n#EXT-X-ENDLIST\n`,
  'a concat script': () => "ffconcat version 1.0\nfile 'secret.mp4'\n",
  'a DASH manifest': (target) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>file://${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
}

/** An AVI whose only frame declares 65,500 x 65,500 pixels. */
function hugeFrame(): Buffer {
  const chunk = (name: string, content: Buffer) => {
    const head = Buffer.alloc(8)
    head.write(name, 'latin1')
    head.writeUInt32LE(content.length, 4)
    return Buffer.concat([head, content])
  }
  const list = (name: string, ...parts: Buffer[]) =>
    chunk('LIST', Buffer.concat([Buffer.from(name), ...parts]))
  const [avih, strh, strf] = [Buffer.alloc(56), Buffer.alloc(56), Buffer.alloc(40)]
  avih.writeUInt32LE(40_000, 0)
  avih.writeUInt32LE(1, 16)
  avih.writeUInt32LE(1, 24)
  avih.writeUInt32LE(65_500, 32)
  avih.writeUInt32LE(65_500, 36)
  strh.write('vidsMJPG', 'latin1')
  strh.writeUInt32LE(1, 20)
  strh.writeUInt32LE(25, 24)
  strh.writeUInt32LE(1, 32)
  strf.writeUInt32LE(40, 0)
  strf.writeUInt32LE(65_500, 4)
  strf.writeUInt32LE(65_500, 8)
  strf.write('MJPG', 16, 'latin1')
  const jpeg = Buffer.from(readFileSync(new URL('../fixtures/baseline.jpg', import.meta.url)))
  const frame = jpeg.indexOf(Buffer.from('ffc0', 'hex'))
  jpeg.writeUInt16BE(65_500, frame + 5)
  jpeg.writeUInt16BE(65_500, frame + 7)
  const content = Buffer.concat([
    Buffer.from('AVI '),
    list('hdrl', chunk('avih', avih), list('strl', chunk('strh', strh), chunk('strf', strf))),
    list('movi', chunk('00dc', jpeg)),
  ])
  return chunk('RIFF', content)
}

describe('what ffmpeg may open', () => {
  it('excludes frames that do not fit into memory', async (t) => {
    if (!hasFfmpeg) t.diagnostic('there is no ffmpeg on this machine')
    const { draw } = await start(t)
    assert.equal(await draw(hugeFrame()), undefined)
  })

  for (const [name, write] of Object.entries(pointers)) {
    it(`excludes other files of this machine: ${name}`, async (t) => {
      const { dir, draw } = await start(t)
      // Also next to the temporary file, for names without a folder.
      const target = join(dir, 'scratch', 'secret.mp4')
      await writeFile(target, video)
      if (hasFfmpeg) assert.ok((await draw(video)) !== undefined, 'a real video has a picture')
      else t.diagnostic('there is no ffmpeg on this machine: only its arguments are tested')
      const other = await start(t)
      await writeFile(join(other.dir, 'scratch', 'secret.mp4'), video)
      assert.equal(await other.draw(write(join(other.dir, 'scratch', 'secret.mp4'))), undefined)
    })
  }

  it('is limited by its arguments to one local file, in a format without references', async (t) => {
    const { dir } = await start(t)
    const program = join(dir, 'ffmpeg')
    const argumentsFile = join(dir, 'arguments')
    await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$@" > ${argumentsFile}\nexit 1\n`)
    await chmod(program, 0o755)
    const { draw } = await start(t, program)
    assert.equal(await draw(video), undefined)
    const args = (await readFile(argumentsFile, 'utf8')).split('\n')
    const before = args.slice(0, args.indexOf('-i'))
    assert.equal(before[before.indexOf('-protocol_whitelist') + 1], 'file')
    const formats = before[before.indexOf('-format_whitelist') + 1]?.split(',') ?? []
    assert.ok(formats.includes('mov') && formats.includes('matroska'))
    for (const format of ['hls', 'concat', 'dash', 'image2', 'sdp', 'imf'])
      assert.ok(!formats.includes(format))
  })
})
