import type { FileReader } from './file-reader.ts'

const startOfScan = 0xda
const endOfImage = Buffer.from([0xff, 0xd9])

/**
 * A JPEG is a sequence of segments; the pixels follow the one that starts a scan, up to the end marker. Inside them, 0xff is never
 * followed by the end marker's second byte. What comes after it (more images, a video, a maker's data) does not matter.
 */
export async function hasJpegEnd(reader: FileReader): Promise<boolean> {
  let offset = 2
  while (offset + 4 <= reader.size) {
    reader.countElement()
    const head = reader.buffered(offset, 4) ?? (await reader.read(offset, 4))
    // Without a segment here, the structure is unknown: search only for the end marker.
    if (head[0] !== 0xff) break
    const marker = head[1] ?? 0
    // Any number of fill bytes may come before a marker; restart markers and 0x01 have no length.
    if (marker === 0xff) offset += 1
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) offset += 2
    else {
      offset += 2 + head.readUInt16BE(2)
      if (marker === startOfScan) break
    }
  }
  return offset < reader.size && (await reader.indexOf(endOfImage, offset)) !== -1
}
