import type { FileReader } from './file-reader.ts'

const capturePattern = Buffer.from('OggS\0', 'latin1')
const headBytes = 27

/**
 * An Ogg file is a sequence of pages, each with its length. Whether the last one is marked as such depends on the writer; it is
 * only checked to be whole. It begins in the last block of the file, unless data was appended.
 */
export async function hasWholeLastPage(reader: FileReader): Promise<boolean> {
  const { bytes } = await reader.readEnd()
  const page = bytes.subarray(Math.max(0, bytes.lastIndexOf(capturePattern)))
  if (!page.subarray(0, capturePattern.length).equals(capturePattern)) return true
  const lengths = page.subarray(headBytes, headBytes + (page[headBytes - 1] ?? 0))
  const expectedBytes = lengths.reduce((sum, length) => sum + length, headBytes + (page[headBytes - 1] ?? 0))
  return page.length >= headBytes && page.length >= expectedBytes
}
