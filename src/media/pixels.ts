import { open } from 'node:fs/promises'

/** Where an image says how large it is; cameras put up to some hundred kilobytes before that. */
const headBytes = 512 * 1024

/** Width times height as an image's own head tells it, without decoding it; `undefined` where it does not tell. */
export async function pixelsOf(path: string, contentType: string): Promise<number | undefined> {
  const read = readers[contentType]
  if (read === undefined) return undefined
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return read(buffer.subarray(0, bytesRead))
  } catch (cause) {
    if (cause instanceof RangeError) return undefined
    throw cause
  } finally {
    await file.close()
  }
}

const readers: Readonly<Record<string, (head: Buffer) => number | undefined>> = {
  'image/png': (head) => head.readUInt32BE(16) * head.readUInt32BE(20),
  'image/apng': (head) => head.readUInt32BE(16) * head.readUInt32BE(20),
  'image/gif': (head) => head.readUInt16LE(6) * head.readUInt16LE(8),
  'image/bmp': (head) => Math.abs(head.readInt32LE(18) * head.readInt32LE(22)),
  'image/webp': webp,
  'image/jpeg': jpeg,
}

function webp(head: Buffer): number | undefined {
  const chunk = head.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return (head.readUIntLE(24, 3) + 1) * (head.readUIntLE(27, 3) + 1)
  if (chunk === 'VP8 ') return (head.readUInt16LE(26) & 0x3fff) * (head.readUInt16LE(28) & 0x3fff)
  const bits = head.readUInt32LE(21)
  return chunk === 'VP8L' ? ((bits & 0x3fff) + 1) * (((bits >>> 14) & 0x3fff) + 1) : undefined
}

/** Walks the segments to the one that starts the frame. */
function jpeg(head: Buffer): number | undefined {
  for (let at = 2; head.readUInt8(at) === 0xff; at += 2 + head.readUInt16BE(at + 2)) {
    const marker = head.readUInt8(at + 1)
    const startsFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (startsFrame) return head.readUInt16BE(at + 5) * head.readUInt16BE(at + 7)
  }
  return undefined
}
