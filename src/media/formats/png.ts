import type { FileReader } from './file-reader.ts'

const signatureBytes = 8
/** Length, type and checksum. */
const framingBytes = 12

/** A PNG ends with an empty chunk IEND. Some programs append more. */
export async function hasPngEnd(reader: FileReader): Promise<boolean> {
  let offset = signatureBytes
  while (offset + framingBytes <= reader.size) {
    reader.countElement()
    const head = reader.buffered(offset, 8) ?? (await reader.read(offset, 8))
    if (head.toString('latin1', 4, 8) === 'IEND') return true
    offset += head.readUInt32BE(0) + framingBytes
  }
  return false
}
