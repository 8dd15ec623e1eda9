import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { FoundFile } from './found-file.ts'
import { createGate } from './gate.ts'
import type { Scratch } from './scratch.ts'
import type { FileStore } from './store.ts'

export const stillsFolder = 'stills'

/** Filters of ffmpeg, and how long into the video they begin. */
const filters = {
  thumbnail: 'thumbnail=24,scale=640:-2',
  spritesheet: 'fps=2,scale=160:-2,tile=5x4',
} as const

/** `name`: under which it is served to anybody who knows it. */
export type Picture = FoundFile & { name: string }

export type Still = keyof typeof filters

export function isStill(word: string): word is Still {
  return word in filters
}

/**
 * Video formats that hold everything themselves. Others, as playlists and scripts, name further files, and ffmpeg would open
 * any file of this machine for them.
 */
const formats = ['mov', 'matroska', 'avi', 'flv', 'mpegts', 'mpeg', 'mpegvideo', 'ogg', 'asf', 'gif']
const onlyThisFile = ['-protocol_whitelist', 'file', '-format_whitelist', formats.join(',')]

const atOnce = 2
const timeoutMs = 60_000

/** Pictures of finished videos, made by ffmpeg when they are first asked for and kept. */
export function createStills({
  store,
  scratch,
  ffmpeg,
}: {
  store: FileStore
  scratch: Scratch
  ffmpeg: string
}) {
  const gate = createGate(atOnce)
  const fileOf = (videoName: string, still: string) =>
    `${createHash('sha256').update(`${videoName}:${still}`).digest('hex').slice(0, 40)}.jpg`
  const underWay = new Map<string, Promise<void>>()

  async function draw(video: FoundFile, still: Still, name: string): Promise<void> {
    const leave = await gate.enter(1)
    const [source, picture] = [scratch.path('still'), scratch.path('picture')]
    try {
      await pipeline(await video.open(), createWriteStream(source))
      if (await run(ffmpeg, source, filters[still], picture)) await store.take(name, picture)
    } finally {
      await Promise.all([rm(source, { force: true }), rm(picture, { force: true })])
      leave()
    }
  }

  async function find(file: string): Promise<Picture | undefined> {
    const name = `${stillsFolder}/${file}`
    const found = await store.stat(name)
    return (
      found && { ...found, name: file, contentType: 'image/jpeg', open: (range) => store.open(name, range) }
    )
  }

  return {
    /** `undefined`: there is no ffmpeg, or it can make nothing of the video. */
    async make(videoName: string, video: FoundFile, still: Still): Promise<Picture | undefined> {
      const file = fileOf(videoName, still)
      const name = `${stillsFolder}/${file}`
      if ((await store.stat(name)) === undefined) {
        const drawing = underWay.get(name) ?? draw(video, still, name).finally(() => underWay.delete(name))
        underWay.set(name, drawing)
        await drawing
      }
      return find(file)
    },

    find,

    /** Removes every picture of a video. */
    async forget(videoName: string): Promise<void> {
      for (const still of Object.keys(filters))
        await store.remove(`${stillsFolder}/${fileOf(videoName, still)}`)
    },
  }
}

async function run(ffmpeg: string, source: string, filter: string, picture: string): Promise<boolean> {
  const output = [
    '-vf',
    filter,
    '-frames:v',
    '1',
    '-q:v',
    '4',
    '-f',
    'image2',
    '-c:v',
    'mjpeg',
    '-y',
    picture,
  ]
  const child = spawn(ffmpeg, ['-nostdin', '-v', 'error', ...onlyThisFile, '-i', source, ...output], {
    stdio: 'ignore',
    signal: AbortSignal.timeout(timeoutMs),
  })
  const ended = await once(child, 'close').catch(() => [1])
  const written = await stat(picture).catch(() => undefined)
  return ended[0] === 0 && (written?.size ?? 0) > 0
}
