import type { FileReader } from './file-reader.ts'

/** WebP and WAV: chunks, each with its length. Others are not looked at. */
export async function hasWholeRiff(reader: FileReader): Promise<boolean> {
  const head = await reader.read(0, 12)
  const format = head.toString('latin1', 8)
  // The first chunk of a WebP spans the file.
  if (format === 'WEBP') return head.readUInt32LE(4) + 8 <= reader.size
  return format !== 'WAVE' || hasSamples(reader)
}

/**
 * A program that writes to a pipe cannot know the length, and declares 0 or a number near a limit: ffmpeg and OpenAI 0xffffffff, sox
 * and arecord near 0x7fffffff.
 */
const maxKnownBytes = 0x7ff00000

/** The samples of a WAV are its chunk `data`. The byte that follows one of odd length is often absent. */
async function hasSamples(reader: FileReader): Promise<boolean> {
  let offset = 12
  while (offset + 8 <= reader.size) {
    reader.countElement()
    const head = reader.buffered(offset, 8) ?? (await reader.read(offset, 8))
    const length = head.readUInt32LE(4)
    if (head.toString('latin1', 0, 4) === 'data')
      return length >= maxKnownBytes || offset + 8 + length <= reader.size
    offset += 8 + length + (length % 2)
  }
  return false
}
