import { open } from 'node:fs/promises'
import { BMP } from 'image-size/types/bmp'
import { GIF } from 'image-size/types/gif'
import { PNG } from 'image-size/types/png'
import { WEBP } from 'image-size/types/webp'

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
  } finally {
    await file.close()
  }
}

type PixelCounter = (head: Buffer) => number | undefined

const pixelCounters: Readonly<Record<string, PixelCounter>> = {
  'image/png': createPixelCounter(PNG),
  'image/apng': createPixelCounter(PNG),
  'image/gif': createPixelCounter(GIF),
  'image/bmp': createPixelCounter(BMP),
  'image/webp': countWebpPixels,
  'image/jpeg': countJpegPixels,
}

/** Uses the parser of one format. image-size's own detection would try every parser that it has on a hostile file. */
function createPixelCounter({ calculate }: typeof PNG): PixelCounter {
  return (head) => {
    try {
      // A copy, because the parsers read beyond the end of a Buffer, in the memory that it shares.
      const { width, height } = calculate(new Uint8Array(head))
      return width * height
    } catch {
      return undefined
    }
  }
}

function countWebpPixels(head: Buffer): number | undefined {
  // Decoders ignore the reserved bits of the flags; image-size rejects the file.
  if (head.length > 20) head.writeUInt8(head.readUInt8(20) & 0x3e, 20)
  return createPixelCounter(WEBP)(head)
}

/**
 * Walks the segments to the one that starts the frame. image-size 2.1.0 misses a frame that is the first segment, and arithmetic and
 * lossless ones, so that the size limit would not apply; it needs 50 ms to give up on half a megabyte without segments.
 */
function countJpegPixels(head: Buffer): number | undefined {
  try {
    for (let offset = 2; head.readUInt8(offset) === 0xff; offset += 2 + head.readUInt16BE(offset + 2)) {
      const marker = head.readUInt8(offset + 1)
      const isStartOfFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
      if (isStartOfFrame) return head.readUInt16BE(offset + 5) * head.readUInt16BE(offset + 7)
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
  }
  return undefined
}
