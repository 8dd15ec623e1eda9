import type { FileReader } from './file-reader.ts'

/** Elements whose length may be unknown; then their content follows up to the end of the file. */
const open = [0x18538067, 0x1f43b675]
/** Every other element that may stand beside or inside them. */
const closed = [
  0x1a45dfa3, 0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1254c367, 0x1043a770, 0x1941a469, 0xec, 0xbf,
  0xe7, 0xa3, 0xa0, 0xab, 0xa7, 0x5854,
]

/** Matroska and WebM: elements with a length. Recorders of browsers write some whose length is unknown. */
export async function hasWholeElements(reader: FileReader): Promise<boolean> {
  let at = 0
  while (at < reader.size) {
    reader.countElement()
    const head = reader.buffered(at, 12) ?? (await reader.read(at, 12))
    const idBytes = lengthOfNumber(head[0])
    const lengthBytes = lengthOfNumber(head[idBytes])
    if (idBytes > 4) return true
    if (head.length < idBytes + lengthBytes) return false
    if (lengthBytes > 8) return true
    const id = head.readUIntBE(0, idBytes)
    const isOpen = open.includes(id)
    // Not an element of this level: something that was appended.
    if (!isOpen && !closed.includes(id)) return true
    const length = readLength(head.subarray(idBytes, idBytes + lengthBytes))
    at += idBytes + lengthBytes
    if (length === undefined) {
      if (!isOpen) return true
    } else {
      at += length
      // The Segment is the file.
      if (id === open[0]) break
    }
  }
  return at <= reader.size
}

/** The first byte of a number tells by its leading zeros how many bytes there are. */
function lengthOfNumber(first = 0): number {
  return Math.clz32(first) - 23
}

/** `undefined`: all ones, which stands for an unknown length. */
function readLength(bytes: Buffer): number | undefined {
  const [first = 0, ...others] = bytes
  const mask = 0xff >> bytes.length
  if ((first & mask) === mask && others.every((byte) => byte === 0xff)) return undefined
  return others.reduce((length, byte) => length * 256 + byte, first & mask)
}
