import { open } from 'node:fs/promises'
import { FileTypeParser } from 'file-type'
import type { MediaKind } from '../../../providers/input.ts'
import { isSystemError, toStorageUnavailable, wrapStorageErrors } from '../storage/storage-fault.ts'
import { isComplete } from './complete.ts'
import { parserLimits } from './file-reader.ts'
import { countImagePixels } from './image-pixels.ts'

/** A small file may unpack to an image that fills a machine's memory. */
const maxPixels = 100_000_000

/** Files that hold sound alone look like the videos of the same family. */
const audioTypes: Readonly<Record<string, string>> = {
  'video/mp4': 'audio/mp4',
  'video/quicktime': 'audio/mp4',
  'video/webm': 'audio/webm',
  'video/matroska': 'audio/webm',
  'video/ogg': 'audio/ogg',
  'application/ogg': 'audio/ogg',
}

const supportedImages = /^image\/(png|apng|jpeg|webp|gif|bmp|tiff|avif|hei[cf](-sequence)?)$/

type FileCheck = { contentType: string } | { reason: 'invalid' | 'too_large'; problem: string }

/** No archive is a media file; finding out what is inside one would cost the most. */
const archives: readonly [string, string][] = [
  ['PK\x03\x04', 'application/zip'],
  ['\x1f\x8b', 'application/gzip'],
]

/** The type of a file by its bytes; the declared type is ignored. Rejects with `StorageUnavailable`. */
export async function detectContentType(path: string): Promise<string | undefined> {
  const firstCharacters = await readFirstCharacters(path)
  const archive = archives.find(([signature]) => firstCharacters.startsWith(signature))?.[1]
  if (archive !== undefined) return archive
  // file-type has its own limits: 256 to 1024 elements of a container, 16 MB of decompressed data.
  const signal = AbortSignal.timeout(parserLimits.timeoutMs)
  const detected = await new FileTypeParser({ signal }).fromFile(path).catch((cause: unknown) => {
    if (isSystemError(cause)) throw toStorageUnavailable('read a temporary file', cause)
    return undefined
  })
  const contentType = detected?.mime.split(';')[0]?.trim()
  // After an audio tag or a byte order mark, only the results audio and text are reliable.
  return /^(ID3|\xef\xbb\xbf)/.test(firstCharacters) && !contentType?.startsWith('audio/')
    ? undefined
    : contentType
}

async function readFirstCharacters(path: string): Promise<string> {
  const file = await wrapStorageErrors('read a temporary file', open(path, 'r'))
  try {
    const { buffer, bytesRead } = await wrapStorageErrors(
      'read a temporary file',
      file.read(Buffer.alloc(4), 0, 4, 0),
    )
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Whether a file is what a field of this kind takes. */
export async function checkMediaFile(path: string, kind: MediaKind): Promise<FileCheck> {
  const detectedType = await detectContentType(path)
  const contentType = kind === 'audio' ? (audioTypes[detectedType ?? ''] ?? detectedType) : detectedType
  const isSupported =
    kind === 'image' ? supportedImages.test(contentType ?? '') : contentType?.startsWith(`${kind}/`)
  if (contentType === undefined || isSupported !== true) {
    const actual =
      detectedType === undefined ? 'holds no file of a known type' : `is ${detectedType} by its content`
    return {
      reason: 'invalid',
      problem: `must be ${kind === 'video' ? 'a' : 'an'} ${kind} file; what was sent ${actual}`,
    }
  }
  const pixels = await countImagePixels(path, contentType)
  // In the other formats, 0 can mean that the size is stored elsewhere.
  if (pixels === 0 && /^image\/a?png$/.test(contentType))
    return { reason: 'invalid', problem: 'is an image without pixels' }
  if ((pixels ?? 0) > maxPixels) {
    return { reason: 'too_large', problem: `must have at most ${maxPixels / 1e6} million pixels` }
  }
  if (!(await isComplete(path)))
    return { reason: 'invalid', problem: 'is cut short: the end of the file is missing' }
  return { contentType }
}
