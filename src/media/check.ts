import { fileTypeFromFile } from 'file-type'
import type { MediaKind } from '../../providers/input.ts'
import { isComplete } from './complete.ts'
import { pixelsOf } from './pixels.ts'
import { isSystemError, storageFault } from './storage-fault.ts'

/** A small file may unpack to an image that fills a machine's memory. */
const mostPixels = 100_000_000

/** Files that hold sound alone look like the videos of the same family. */
const soundInside: Readonly<Record<string, string>> = {
  'video/mp4': 'audio/mp4',
  'video/quicktime': 'audio/mp4',
  'video/webm': 'audio/webm',
  'video/matroska': 'audio/webm',
  'video/ogg': 'audio/ogg',
  'application/ogg': 'audio/ogg',
}

const images = /^image\/(png|apng|jpeg|webp|gif|bmp|tiff|avif|hei[cf](-sequence)?)$/

type Verdict = { contentType: string } | { reason: 'invalid' | 'too_large'; wrong: string }

/** What a file really is, told from its bytes; nothing is believed that was declared. Rejects with `StorageUnavailable`. */
export async function typeOf(path: string): Promise<string | undefined> {
  const found = await fileTypeFromFile(path).catch((cause: unknown) => {
    if (isSystemError(cause)) throw storageFault('read a temporary file', cause)
    return undefined
  })
  return found?.mime.split(';')[0]?.trim()
}

/** Whether a file is what a field of this kind takes. */
export async function judge(path: string, kind: MediaKind): Promise<Verdict> {
  const found = await typeOf(path)
  const contentType = kind === 'audio' ? (soundInside[found ?? ''] ?? found) : found
  const fits = kind === 'image' ? images.test(contentType ?? '') : contentType?.startsWith(`${kind}/`)
  if (contentType === undefined || fits !== true) {
    const really = found === undefined ? 'holds no file of a known type' : `is ${found} by its content`
    return {
      reason: 'invalid',
      wrong: `must be ${kind === 'video' ? 'a' : 'an'} ${kind} file; what was sent ${really}`,
    }
  }
  if (((await pixelsOf(path, contentType)) ?? 0) > mostPixels) {
    return { reason: 'too_large', wrong: `must have at most ${mostPixels / 1e6} million pixels` }
  }
  if (!(await isComplete(path)))
    return { reason: 'invalid', wrong: 'is cut short: the end of the file is missing' }
  return { contentType }
}
