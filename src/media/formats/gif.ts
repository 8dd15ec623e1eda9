import type { FileReader } from './file-reader.ts'

const trailer = 0x3b
const extension = 0x21
const image = 0x2c

/** A GIF is a sequence of blocks, up to its trailer. */
export async function hasGifTrailer(reader: FileReader): Promise<boolean> {
  const header = await reader.read(0, 13)
  if (header.length < 13) return false
  let at = 13 + colorTableBytes(header[10])
  for (;;) {
    const head = reader.buffered(at, 10) ?? (await reader.read(at, 10))
    if (head[0] === trailer) return true
    if (head[0] === extension) at += 2
    else if (head[0] === image && head.length === 10) at += 10 + colorTableBytes(head[9]) + 1
    // The end of the file, or something else than a block, where the structure is unknown.
    else return head.length === 10 && head[0] !== image
    at = await afterSubBlocks(reader, at)
  }
}

/** Sub-blocks of up to 255 bytes follow, up to an empty one. */
async function afterSubBlocks(reader: FileReader, from: number): Promise<number> {
  let at = from
  for (;;) {
    reader.countElement()
    const [length] = reader.buffered(at, 1) ?? (await reader.read(at, 1))
    if (length === undefined) return reader.size
    at += 1 + length
    if (length === 0) return at
  }
}

function colorTableBytes(packed = 0): number {
  return (packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 0x07) + 1)
}
