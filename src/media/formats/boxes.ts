import type { FileReader } from './file-reader.ts'

/** Boxes without which nobody can read the media data of a file. */
const indexTypes = ['moov', 'moof', 'meta']

/** What a cut file ends with. Another name beyond the index belongs to something that was appended. */
const knownTypes = [
  ...indexTypes,
  'mdat',
  'idat',
  'free',
  'skip',
  'wide',
  'udta',
  'uuid',
  'mfra',
  'sidx',
  'styp',
  'emsg',
  'prft',
]

/** MP4, QuickTime, HEIF and AVIF: a sequence of boxes, each with its length. */
export async function hasWholeBoxes(reader: FileReader): Promise<boolean> {
  let offset = 0
  let hasIndex = false
  while (reader.size - offset >= 8) {
    reader.countElement()
    const head = reader.buffered(offset, 16) ?? (await reader.read(offset, 16))
    const type = head.toString('latin1', 4, 8)
    const isLong = head.readUInt32BE(0) === 1
    if (isLong && head.length < 16) return false
    const length = isLong ? Number(head.readBigUInt64BE(8)) : head.readUInt32BE(0)
    // The box extends to the end of the file. An interrupted recorder leaves such media data without an index.
    if (length === 0) return type !== 'mdat' || hasIndex
    // Not a box: appended data.
    if (length < 8 || !/^[\x20-\x7e\xa9]{4}$/.test(type)) return true
    if (offset + length > reader.size) return hasIndex && !knownTypes.includes(type)
    if (indexTypes.includes(type)) hasIndex = true
    offset += length
  }
  return hasIndex || offset === reader.size
}
