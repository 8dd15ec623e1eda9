import type { FileReader } from './file-reader.ts'

/** A frame begins with 14 bits of this; more of them than so many occur in the last frames of a file by chance only. */
const mostCandidates = 64

/** What follows the last frame where the file does not tell how many samples it has. */
const tags = ['TAG', 'APETAGEX', 'ID3', '\0'.repeat(8)]

/**
 * A FLAC file tells how many samples it has, unless it was written to a pipe; its frames tell which samples they hold, not how long
 * they are. The last one ends with a checksum.
 */
export async function hasWholeFlac(reader: FileReader): Promise<boolean> {
  const info = Buffer.from(await reader.read(0, 42))
  if (info.length < 42) return false
  const blockSize = info.readUInt16BE(10)
  const longestFrame = info.readUIntBE(15, 3)
  const samples = (info.readUInt8(21) & 0x0f) * 2 ** 32 + info.readUInt32BE(22)
  const { bytes } = await reader.readEnd()
  if (longestFrame >= bytes.length && bytes.length < reader.size) return true
  let candidates = 0
  for (let at = bytes.length - 1; at >= 0 && candidates < mostCandidates; at -= 1) {
    at = bytes.lastIndexOf(0xff, at)
    if (at === -1) break
    const frame = bytes.subarray(at)
    const lastSample = lastSampleOf(frame, blockSize)
    if (lastSample === undefined) continue
    reader.countElement()
    candidates += 1
    if (samples === 0 ? isWhole(frame, isEndOrTag) : lastSample === samples && isWhole(frame)) return true
  }
  // A frame without its end is cut. In a longer file without a frame, nothing is known.
  return candidates === 0 && bytes.length < reader.size
}

/** The number of the sample after a frame, by its header; `undefined` where no frame begins. */
function lastSampleOf(frame: Buffer, blockSize: number): number | undefined {
  const [, second = 0, third = 0] = frame
  if ((second & 0xfe) !== 0xf8) return undefined
  const first = frame[4] ?? 0
  const numberBytes = first < 0x80 ? 1 : Math.clz32(~first << 24)
  let number = first < 0x80 ? first : first & (0x7f >> numberBytes)
  for (const byte of frame.subarray(5, 4 + numberBytes)) number = number * 64 + (byte & 0x3f)
  const sizeCode = third >> 4
  const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0
  const rateCode = third & 0x0f
  const rateBytes = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0
  const sizeAt = 4 + numberBytes
  const headBytes = sizeAt + sizeBytes + rateBytes
  if (frame.length <= headBytes || checksum8(frame.subarray(0, headBytes)) !== frame[headBytes])
    return undefined
  const size = sizeBytes > 0 ? frame.readUIntBE(sizeAt, sizeBytes) + 1 : sizeOf(sizeCode)
  return size && ((second & 1) === 1 ? number : number * blockSize) + size
}

function sizeOf(code: number): number | undefined {
  if (code === 1) return 192
  if (code >= 2 && code <= 5) return 576 * 2 ** (code - 2)
  return code >= 8 ? 2 ** code : undefined
}

function checksum8(bytes: Buffer): number {
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ (sum & 0x80 ? 0x07 : 0)) & 0xff
  }
  return sum
}

const table16 = Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 8
  for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ (sum & 0x8000 ? 0x8005 : 0)) & 0xffff
  return sum
})

/** A checksum over a frame and its own checksum, which are its last two bytes, is 0. */
function isWhole(frame: Buffer, canEndAt: (frame: Buffer, at: number) => boolean = () => true): boolean {
  let sum = 0
  for (let at = 0; at < frame.length; at += 1) {
    sum = ((sum << 8) & 0xffff) ^ (table16[(sum >> 8) ^ (frame[at] ?? 0)] ?? 0)
    if (sum === 0 && at > 6 && canEndAt(frame, at + 1)) return true
  }
  return false
}

function isEndOrTag(frame: Buffer, at: number): boolean {
  const next = frame.toString('latin1', at, at + 8)
  return next === '' || tags.some((tag) => next.startsWith(tag))
}
