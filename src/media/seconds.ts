import { buffer } from 'node:stream/consumers'
import type { FoundFile } from './found-file.ts'

/** A file with more boxes than this before the one that tells the length is no video that we read. */
const mostBoxes = 64

/** How long an MP4 is, as its own header tells; `undefined` where it tells nothing. */
export async function secondsOf(file: Measurable): Promise<number | undefined> {
  const movie = await findBox(file, 'moov', 0, file.bytes)
  const header = movie && (await findBox(file, 'mvhd', movie.at + movie.head, movie.at + movie.length))
  if (header === undefined) return undefined
  const body = await read(file, header.at + header.head, 32)
  if (body.length < 32) return undefined
  const [scale, duration] =
    body[0] === 1
      ? [body.readUInt32BE(20), Number(body.readBigUInt64BE(24))]
      : [body.readUInt32BE(12), body.readUInt32BE(16)]
  // All ones: not known when the header was written.
  return scale === 0 || duration === 0 || duration >= 0xffffffff ? undefined : duration / scale
}

type Measurable = Pick<FoundFile, 'bytes' | 'open'>

type Box = { at: number; head: number; length: number }

/** An MP4 is a row of boxes, each with its length and four letters, and some are rows of boxes again. */
async function findBox(file: Measurable, name: string, from: number, end: number): Promise<Box | undefined> {
  let at = from
  for (let boxes = 0; boxes < mostBoxes && end - at >= 8; boxes++) {
    const head = await read(file, at, 16)
    if (head.length < 8) return undefined
    const told = head.readUInt32BE()
    const large = told === 1 && head.length === 16
    const length = large ? Number(head.readBigUInt64BE(8)) : told === 0 ? end - at : told
    if (head.toString('latin1', 4, 8) === name) return { at, head: large ? 16 : 8, length }
    if (length < 8) return undefined
    at += length
  }
  return undefined
}

async function read(file: Measurable, start: number, length: number): Promise<Buffer> {
  const end = Math.min(start + length, file.bytes) - 1
  return end < start ? Buffer.alloc(0) : buffer(await file.open({ start, end }))
}
