import type { FileReader } from './file-reader.ts'

/** A frame begins with 14 bits of this; more of them than so many occur in the last frames of a file by chance only. */
const maxCandidates = 64

/** What follows the last frame where the file does not tell how many samples it has. */
const tagMarkers = ['TAG', 'APETAGEX', 'ID3', '\0'.repeat(8)]

/**
 * A FLAC file stores its number of samples, unless it was written to a pipe. Its frames store which samples they hold, not their
 * length in bytes. The last frame ends with a checksum.
 */
export async function hasWholeFlac(reader: FileReader): Promise<boolean> {
  const streamInfo = Buffer.from(await reader.read(0, 42))
  if (streamInfo.length < 42) return false
  const blockSize = streamInfo.readUInt16BE(10)
  const maxFrameBytes = streamInfo.readUIntBE(15, 3)
  const totalSamples = (streamInfo.readUInt8(21) & 0x0f) * 2 ** 32 + streamInfo.readUInt32BE(22)
  const { bytes } = await reader.readEnd()
  if (maxFrameBytes >= bytes.length && bytes.length < reader.size) return true
  let candidates = 0
  for (let offset = bytes.length - 1; offset >= 0 && candidates < maxCandidates; offset -= 1) {
    offset = bytes.lastIndexOf(0xff, offset)
    if (offset === -1) break
    const frame = bytes.subarray(offset)
    const lastSample = readLastSample(frame, blockSize)
    if (lastSample === undefined) continue
    reader.countElement()
    candidates += 1
    if (totalSamples === 0 ? isWhole(frame, isEndOrTag) : lastSample === totalSamples && isWhole(frame))
      return true
  }
  // A frame without its end is truncated. In a longer file without a frame, the end is unknown.
  return candidates === 0 && bytes.length < reader.size
}

/** The number of the sample after a frame, by its header; `undefined` where no frame begins. */
function readLastSample(frame: Buffer, blockSize: number): number | undefined {
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
  if (frame.length <= headBytes || crc8(frame.subarray(0, headBytes)) !== frame[headBytes]) return undefined
  const size = sizeBytes > 0 ? frame.readUIntBE(sizeAt, sizeBytes) + 1 : blockSizeOf(sizeCode)
  return size && ((second & 1) === 1 ? number : number * blockSize) + size
}

function blockSizeOf(code: number): number | undefined {
  if (code === 1) return 192
  if (code >= 2 && code <= 5) return 576 * 2 ** (code - 2)
  return code >= 8 ? 2 ** code : undefined
}

function crc8(bytes: Buffer): number {
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ (sum & 0x80 ? 0x07 : 0)) & 0xff
  }
  return sum
}

const crc16Table = Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 8
  for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ (sum & 0x8000 ? 0x8005 : 0)) & 0xffff
  return sum
})

/** A checksum over a frame and its own checksum, which are its last two bytes, is 0. */
function isWhole(frame: Buffer, canEndAt: (frame: Buffer, at: number) => boolean = () => true): boolean {
  let sum = 0
  for (let offset = 0; offset < frame.length; offset += 1) {
    sum = ((sum << 8) & 0xffff) ^ (crc16Table[(sum >> 8) ^ (frame[offset] ?? 0)] ?? 0)
    if (sum === 0 && offset > 6 && canEndAt(frame, offset + 1)) return true
  }
  return false
}

function isEndOrTag(frame: Buffer, offset: number): boolean {
  const following = frame.toString('latin1', offset, offset + 8)
  return following === '' || tagMarkers.some((tag) => following.startsWith(tag))
}
