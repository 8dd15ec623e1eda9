import { buffer } from 'node:stream/consumers'
import type { ServedFile } from './served-file.ts'

/** A file with more boxes than this before the one that tells the length is no video that we read. */
const maxBoxes = 64

/** How long an MP4 is, as its own header tells; `undefined` where it tells nothing. */
export async function readVideoSeconds(file: VideoFile): Promise<number | undefined> {
  const movie = await findBox(file, 'moov', 0, file.bytes)
  const header =
    movie && (await findBox(file, 'mvhd', movie.offset + movie.headBytes, movie.offset + movie.lengthBytes))
  if (header === undefined) return undefined
  const headerBody = await readRange(file, header.offset + header.headBytes, 32)
  if (headerBody.length < 32) return undefined
  const [timescale, duration] =
    headerBody[0] === 1
      ? [headerBody.readUInt32BE(20), Number(headerBody.readBigUInt64BE(24))]
      : [headerBody.readUInt32BE(12), headerBody.readUInt32BE(16)]
  // All ones: the size was unknown when the header was written.
  return timescale === 0 || duration === 0 || duration >= 0xffffffff ? undefined : duration / timescale
}

type VideoFile = Pick<ServedFile, 'bytes' | 'open'>

type Box = { offset: number; headBytes: number; lengthBytes: number }

/** An MP4 is a row of boxes, each with its length and four letters, and some are rows of boxes again. */
async function findBox(file: VideoFile, name: string, start: number, end: number): Promise<Box | undefined> {
  let offset = start
  for (let boxes = 0; boxes < maxBoxes && end - offset >= 8; boxes++) {
    const boxHead = await readRange(file, offset, 16)
    if (boxHead.length < 8) return undefined
    const declaredLength = boxHead.readUInt32BE()
    const isLarge = declaredLength === 1 && boxHead.length === 16
    const length = isLarge
      ? Number(boxHead.readBigUInt64BE(8))
      : declaredLength === 0
        ? end - offset
        : declaredLength
    if (boxHead.toString('latin1', 4, 8) === name)
      return { offset, headBytes: isLarge ? 16 : 8, lengthBytes: length }
    if (length < 8) return undefined
    offset += length
  }
  return undefined
}

async function readRange(file: VideoFile, start: number, length: number): Promise<Buffer> {
  const end = Math.min(start + length, file.bytes) - 1
  return end < start ? Buffer.alloc(0) : buffer(await file.open({ start, end }))
}
