import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { FoundFile } from './found-file.ts'
import { createGate } from './gate.ts'
import type { Scratch } from './scratch.ts'
import type { FileStore } from './store.ts'

export const stillsFolder = 'stills'

/** Filters of ffmpeg. Frames are scaled first: the filter `thumbnail` holds 24 of them in memory. */
const filters = {
  thumbnail: 'scale=640:-2,thumbnail=24',
  spritesheet: 'fps=2,scale=160:-2,tile=5x4',
} as const

/** `name`: under which it is served to anybody who knows it. */
export type Picture = FoundFile & { name: string }

export type Still = keyof typeof filters

export function isStill(word: string): word is Still {
  return Object.hasOwn(filters, word)
}

/**
 * Video formats that hold everything themselves. Others, as playlists and scripts, name further files, and ffmpeg would open
 * any file of this machine for them.
 */
const formats = ['mov', 'matroska', 'avi', 'flv', 'mpegts', 'mpeg', 'mpegvideo', 'ogg', 'asf', 'gif']
const onlyThisFile = ['-protocol_whitelist', 'file', '-format_whitelist', formats.join(',')]

/** A file of a few bytes may declare frames that fill a machine's memory: 8k video has 33 million pixels. */
const memory = ['-max_alloc', String(512 * 1024 * 1024), '-max_pixels', '100000000', '-threads', '2']

const atOnce = 2
/** Not a setting: 24 frames, or ten seconds of a video, take a few seconds on any machine. */
const longestMs = 60_000

/** Pictures of finished videos, made by ffmpeg when they are first asked for and kept. */
export function createStills({
  store,
  scratch,
  ffmpeg,
  timeoutMs = longestMs,
}: {
  store: FileStore
  scratch: Scratch
  ffmpeg: string
  timeoutMs?: number
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
      if (await run({ ffmpeg, source, filter: filters[still], picture, timeoutMs }))
        await store.take(name, picture)
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

type Run = { ffmpeg: string; source: string; filter: string; picture: string; timeoutMs: number }

async function run({ ffmpeg, source, filter, picture, timeoutMs }: Run): Promise<boolean> {
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
  const input = ['-nostdin', '-v', 'error', ...memory, ...onlyThisFile, '-i', source]
  const child = spawn(ffmpeg, [...input, ...output], {
    stdio: 'ignore',
    signal: AbortSignal.timeout(timeoutMs),
    // ffmpeg finishes its work on SIGTERM, and a decoder that hangs never does.
    killSignal: 'SIGKILL',
  })
  // After a kill, too, it is over only when the process has gone.
  child.on('error', () => undefined)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const written = await stat(picture).catch(() => undefined)
  return code === 0 && (written?.size ?? 0) > 0
}
