import { type FileHandle, open } from 'node:fs/promises'
import { storing } from './storage-fault.ts'

const operation = 'read a temporary file'

/** How far before the end of a PNG its last chunk may lie: some programs write a little more after it. */
const tailBytes = 4096

/** Whether the end of a file is there, for the formats that tell where it is. */
export async function isComplete(path: string): Promise<boolean> {
  const file = await storing(operation, open(path, 'r'))
  try {
    const { size } = await storing(operation, file.stat())
    const head = (await read(file, 0, 16)).toString('latin1')
    if (head.startsWith('\x89PNG')) {
      return (await read(file, Math.max(0, size - tailBytes), tailBytes)).includes('IEND')
    }
    if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') {
      return (await read(file, 4, 4)).readUInt32LE() + 8 <= size
    }
    return head.slice(4, 8) !== 'ftyp' || (await endsWithBox(file, size))
  } finally {
    await file.close()
  }
}

/** How much is read at once: a file may consist of millions of boxes. */
const blockBytes = 16_384

/** An MP4 is a row of boxes, each of which tells its length. */
async function endsWithBox(file: FileHandle, size: number): Promise<boolean> {
  let block: Buffer = Buffer.alloc(0)
  let blockAt = 0
  let at = 0
  while (size - at >= 16) {
    if (at + 16 > blockAt + block.length) {
      block = await read(file, at, blockBytes)
      blockAt = at
    }
    const head = block.subarray(at - blockAt)
    const told = head.readUInt32BE()
    const length = told === 1 ? Number(head.readBigUInt64BE(8)) : told
    // 0 means up to the end of the file; anything else below a head's own length is no box.
    if (length < 8) return true
    at += length
  }
  return at <= size
}

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await storing(operation, file.read(Buffer.alloc(length), 0, length, at))
  return buffer.subarray(0, bytesRead)
}
