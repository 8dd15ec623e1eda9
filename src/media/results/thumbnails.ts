import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { FileStore } from '../storage/file-store.ts'
import type { TempDir } from '../storage/temp-dir.ts'
import { createSemaphore } from './semaphore.ts'
import type { ServedFile } from './served-file.ts'

export const thumbnailsFolder = 'stills'

/** Filters of ffmpeg. Frames are scaled first: the filter `thumbnail` holds 24 of them in memory. */
const filters = {
  thumbnail: 'scale=640:-2,thumbnail=24',
  spritesheet: 'fps=2,scale=160:-2,tile=5x4',
} as const

/** `name`: under which it is served to anybody who knows it. */
export type Thumbnail = ServedFile & { name: string }

export type ThumbnailKind = keyof typeof filters

export function isThumbnailKind(text: string): text is ThumbnailKind {
  return Object.hasOwn(filters, text)
}

/**
 * Self-contained video formats. Others, such as playlists and scripts, reference further files, and ffmpeg would open any file of
 * this machine for them.
 */
const allowedFormats = ['mov', 'matroska', 'avi', 'flv', 'mpegts', 'mpeg', 'mpegvideo', 'ogg', 'asf', 'gif']
const inputRestrictions = ['-protocol_whitelist', 'file', '-format_whitelist', allowedFormats.join(',')]

/** A file of a few bytes may declare frames that fill a machine's memory: 8k video has 33 million pixels. */
const memoryLimits = ['-max_alloc', String(512 * 1024 * 1024), '-max_pixels', '100000000', '-threads', '2']

const maxConcurrentRuns = 2
/** Not a setting: 24 frames, or ten seconds of a video, take a few seconds on any machine. */
const defaultTimeoutMs = 60_000

/** Pictures of finished videos, made by ffmpeg on the first request, then stored. */
export function createThumbnails({
  store,
  tempDir,
  ffmpeg,
  timeoutMs = defaultTimeoutMs,
}: {
  store: FileStore
  tempDir: TempDir
  ffmpeg: string
  timeoutMs?: number
}) {
  const semaphore = createSemaphore(maxConcurrentRuns)
  const fileNameOf = (videoName: string, kind: string) =>
    `${createHash('sha256').update(`${videoName}:${kind}`).digest('hex').slice(0, 40)}.jpg`
  const activeRenders = new Map<string, Promise<void>>()

  async function render(video: ServedFile, kind: ThumbnailKind, name: string): Promise<void> {
    const release = await semaphore.acquire(1)
    const [source, output] = [tempDir.createPath('still'), tempDir.createPath('picture')]
    try {
      await pipeline(await video.open(), createWriteStream(source))
      if (await runFfmpeg({ ffmpeg, source, filter: filters[kind], output, timeoutMs }))
        await store.put(name, output)
    } finally {
      await Promise.all([rm(source, { force: true }), rm(output, { force: true })])
      release()
    }
  }

  async function find(fileName: string): Promise<Thumbnail | undefined> {
    const name = `${thumbnailsFolder}/${fileName}`
    const stored = await store.stat(name)
    return (
      stored && {
        ...stored,
        name: fileName,
        contentType: 'image/jpeg',
        open: (range) => store.open(name, range),
      }
    )
  }

  return {
    /** `undefined`: there is no ffmpeg, or it can make nothing of the video. */
    async findOrCreate(
      videoName: string,
      video: ServedFile,
      kind: ThumbnailKind,
    ): Promise<Thumbnail | undefined> {
      const fileName = fileNameOf(videoName, kind)
      const name = `${thumbnailsFolder}/${fileName}`
      if ((await store.stat(name)) === undefined) {
        const rendering =
          activeRenders.get(name) ?? render(video, kind, name).finally(() => activeRenders.delete(name))
        activeRenders.set(name, rendering)
        await rendering
      }
      return find(fileName)
    },

    find,

    /** Removes every picture of a video. */
    async remove(videoName: string): Promise<void> {
      for (const kind of Object.keys(filters))
        await store.remove(`${thumbnailsFolder}/${fileNameOf(videoName, kind)}`)
    },
  }
}

type FfmpegRun = { ffmpeg: string; source: string; filter: string; output: string; timeoutMs: number }

async function runFfmpeg({ ffmpeg, source, filter, output, timeoutMs }: FfmpegRun): Promise<boolean> {
  const outputArguments = [
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
    output,
  ]
  const inputArguments = ['-nostdin', '-v', 'error', ...memoryLimits, ...inputRestrictions, '-i', source]
  const child = spawn(ffmpeg, [...inputArguments, ...outputArguments], {
    stdio: 'ignore',
    signal: AbortSignal.timeout(timeoutMs),
    // On SIGTERM, ffmpeg finishes its work first; a hanging decoder never does.
    killSignal: 'SIGKILL',
  })
  // Even after a kill, wait until the process has exited.
  child.on('error', () => undefined)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const outputStats = await stat(output).catch(() => undefined)
  return code === 0 && (outputStats?.size ?? 0) > 0
}
