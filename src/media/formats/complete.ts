import { open } from 'node:fs/promises'
import { wrapStorageErrors } from '../storage/storage-fault.ts'
import { hasWholeBoxes } from './boxes.ts'
import { createFileReader, type FileReader, ParserLimitReached } from './file-reader.ts'
import { hasWholeFlac } from './flac.ts'
import { hasGifTrailer } from './gif.ts'
import { hasJpegEnd } from './jpeg.ts'
import { hasWholeElements } from './matroska.ts'
import { hasWholeFrames } from './mpeg-audio.ts'
import { hasWholeLastPage } from './ogg.ts'
import { hasPngEnd } from './png.ts'
import { hasWholeRiff } from './riff.ts'

type CompletenessCheck = (reader: FileReader) => Promise<boolean>

/** How a file of each format begins: bytes, and where they are. */
const completenessChecks: readonly [string, number, CompletenessCheck][] = [
  ['\x89PNG', 0, hasPngEnd],
  ['\xff\xd8\xff', 0, hasJpegEnd],
  ['GIF8', 0, hasGifTrailer],
  ['RIFF', 0, hasWholeRiff],
  ['ftyp', 4, hasWholeBoxes],
  ['\x1a\x45\xdf\xa3', 0, hasWholeElements],
  ['OggS', 0, hasWholeLastPage],
  ['fLaC', 0, hasWholeFlac],
  ['ID3', 0, hasWholeFrames],
  ['\xff', 0, hasWholeFrames],
]

/**
 * Whether a file is complete, for formats that store their length. A file whose parser exceeds its limit counts as complete.
 * Rejects with `StorageUnavailable`.
 */
export async function isComplete(path: string): Promise<boolean> {
  const file = await wrapStorageErrors('read a temporary file', open(path, 'r'))
  try {
    const { size } = await wrapStorageErrors('read a temporary file', file.stat())
    const reader = createFileReader({ file, size })
    const firstCharacters = (await reader.read(0, 16)).toString('latin1')
    const [, , check] =
      completenessChecks.find(([signature, offset]) => firstCharacters.startsWith(signature, offset)) ?? []
    return check === undefined || (await check(reader))
  } catch (cause) {
    if (cause instanceof ParserLimitReached) return true
    throw cause
  } finally {
    await file.close()
  }
}
