import type { FileReader } from './file-reader.ts'

const trailer = 0x3b
const extension = 0x21
const image = 0x2c

/** A GIF is a sequence of blocks, up to its trailer. */
export async function hasGifTrailer(reader: FileReader): Promise<boolean> {
  const header = await reader.read(0, 13)
  if (header.length < 13) return false
  let offset = 13 + colorTableBytes(header[10])
  for (;;) {
    const head = reader.buffered(offset, 10) ?? (await reader.read(offset, 10))
    if (head[0] === trailer) return true
    if (head[0] === extension) offset += 2
    else if (head[0] === image && head.length === 10) offset += 10 + colorTableBytes(head[9]) + 1
    // The end of the file, or data that is not a block: the structure is unknown from here.
    else return head.length === 10 && head[0] !== image
    offset = await skipSubBlocks(reader, offset)
  }
}

/** Sub-blocks of up to 255 bytes follow, up to an empty one. */
async function skipSubBlocks(reader: FileReader, start: number): Promise<number> {
  let offset = start
  for (;;) {
    reader.countElement()
    const [length] = reader.buffered(offset, 1) ?? (await reader.read(offset, 1))
    if (length === undefined) return reader.size
    offset += 1 + length
    if (length === 0) return offset
  }
}

function colorTableBytes(packed = 0): number {
  return (packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 0x07) + 1)
}
