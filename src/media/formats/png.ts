import type { FileReader } from './file-reader.ts'

const signatureBytes = 8
/** Length, type and checksum. */
const framingBytes = 12

/** A PNG ends with an empty chunk IEND. Some programs append more. */
export async function hasPngEnd(reader: FileReader): Promise<boolean> {
  let at = signatureBytes
  while (at + framingBytes <= reader.size) {
    reader.countElement()
    const head = reader.buffered(at, 8) ?? (await reader.read(at, 8))
    if (head.toString('latin1', 4, 8) === 'IEND') return true
    at += head.readUInt32BE(0) + framingBytes
  }
  return false
}
