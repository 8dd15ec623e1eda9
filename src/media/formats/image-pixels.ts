import { open } from 'node:fs/promises'

/** Where an image says how large it is; cameras put up to some hundred kilobytes before that. */
const maxHeadBytes = 512 * 1024

/** Width times height as an image's own head tells it, without decoding it; `undefined` where it does not tell. */
export async function countImagePixels(path: string, contentType: string): Promise<number | undefined> {
  const countPixels = pixelCounters[contentType]
  if (countPixels === undefined) return undefined
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHeadBytes), 0, maxHeadBytes, 0)
    return countPixels(buffer.subarray(0, bytesRead))
  } catch (cause) {
    if (cause instanceof RangeError) return undefined
    throw cause
  } finally {
    await file.close()
  }
}

const pixelCounters: Readonly<Record<string, (head: Buffer) => number | undefined>> = {
  'image/png': (head) => head.readUInt32BE(16) * head.readUInt32BE(20),
  'image/apng': (head) => head.readUInt32BE(16) * head.readUInt32BE(20),
  'image/gif': (head) => head.readUInt16LE(6) * head.readUInt16LE(8),
  'image/bmp': (head) => Math.abs(head.readInt32LE(18) * head.readInt32LE(22)),
  'image/webp': countWebpPixels,
  'image/jpeg': countJpegPixels,
}

function countWebpPixels(head: Buffer): number | undefined {
  const chunk = head.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return (head.readUIntLE(24, 3) + 1) * (head.readUIntLE(27, 3) + 1)
  if (chunk === 'VP8 ') return (head.readUInt16LE(26) & 0x3fff) * (head.readUInt16LE(28) & 0x3fff)
  const bits = head.readUInt32LE(21)
  return chunk === 'VP8L' ? ((bits & 0x3fff) + 1) * (((bits >>> 14) & 0x3fff) + 1) : undefined
}

/** Walks the segments to the one that starts the frame. */
function countJpegPixels(head: Buffer): number | undefined {
  for (let offset = 2; head.readUInt8(offset) === 0xff; offset += 2 + head.readUInt16BE(offset + 2)) {
    const marker = head.readUInt8(offset + 1)
    const isStartOfFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isStartOfFrame) return head.readUInt16BE(offset + 5) * head.readUInt16BE(offset + 7)
  }
  return undefined
}
