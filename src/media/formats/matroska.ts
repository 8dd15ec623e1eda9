import type { FileReader } from './file-reader.ts'

/** Elements whose length may be unknown; then their content follows up to the end of the file. */
const unknownLengthIds = [0x18538067, 0x1f43b675]
/** Every other element that may stand beside or inside them. */
const knownLengthIds = [
  0x1a45dfa3, 0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1254c367, 0x1043a770, 0x1941a469, 0xec, 0xbf,
  0xe7, 0xa3, 0xa0, 0xab, 0xa7, 0x5854,
]

/** Matroska and WebM: elements with a length. Recorders of browsers write some whose length is unknown. */
export async function hasWholeElements(reader: FileReader): Promise<boolean> {
  let offset = 0
  while (offset < reader.size) {
    reader.countElement()
    const head = reader.buffered(offset, 12) ?? (await reader.read(offset, 12))
    const idBytes = numberLength(head[0])
    const lengthBytes = numberLength(head[idBytes])
    if (idBytes > 4) return true
    if (head.length < idBytes + lengthBytes) return false
    if (lengthBytes > 8) return true
    const id = head.readUIntBE(0, idBytes)
    const mayHaveUnknownLength = unknownLengthIds.includes(id)
    // Not an element of this level: appended data.
    if (!mayHaveUnknownLength && !knownLengthIds.includes(id)) return true
    const length = readLength(head.subarray(idBytes, idBytes + lengthBytes))
    offset += idBytes + lengthBytes
    if (length === undefined) {
      if (!mayHaveUnknownLength) return true
    } else {
      offset += length
      // The Segment is the file.
      if (id === unknownLengthIds[0]) break
    }
  }
  return offset <= reader.size
}

/** The first byte of a number tells by its leading zeros how many bytes there are. */
function numberLength(first = 0): number {
  return Math.clz32(first) - 23
}

/** `undefined`: all ones, which stands for an unknown length. */
function readLength(bytes: Buffer): number | undefined {
  const [first = 0, ...others] = bytes
  const mask = 0xff >> bytes.length
  if ((first & mask) === mask && others.every((byte) => byte === 0xff)) return undefined
  return others.reduce((length, byte) => length * 256 + byte, first & mask)
}
