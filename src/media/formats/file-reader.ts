import type { FileHandle } from 'node:fs/promises'
import { wrapStorageErrors } from '../storage/storage-fault.ts'

/**
 * How much of a file is parsed before the parser gives up. No settings: a video with one fragment per frame has about 200,000 boxes
 * per hour, and parsing up to a limit takes less than half a CPU second.
 */
export const parserLimits = { elements: 250_000, reads: 10_000, timeoutMs: 2000 } as const

type ParserLimits = { elements: number; reads: number; timeoutMs: number }

/** Thrown when a file has more elements, or takes longer, than a parser may spend on it. It says nothing about the file. */
export class ParserLimitReached extends Error {
  override name = 'ParserLimitReached'
}

export type FileReader = ReturnType<typeof createFileReader>

/** The longest Ogg page fits into it. */
const blockBytes = 64 * 1024

type Source = { file: Pick<FileHandle, 'read'>; size: number; limits?: ParserLimits; now?: () => number }

/** Reads parts of a file block by block, counts what a parser does, and throws `ParserLimitReached` past the limits. */
export function createFileReader({
  file,
  size,
  limits = parserLimits,
  now = () => performance.now(),
}: Source) {
  const deadline = now() + limits.timeoutMs
  const block = Buffer.allocUnsafe(blockBytes)
  let blockOffset = 0
  let blockLength = 0
  let reads = 0
  let elements = 0

  async function loadBlock(offset: number): Promise<void> {
    reads += 1
    if (reads > limits.reads || now() > deadline) throw new ParserLimitReached()
    const { bytesRead } = await wrapStorageErrors(
      'read a temporary file',
      file.read(block, 0, blockBytes, offset),
    )
    blockOffset = offset
    blockLength = bytesRead
  }

  function buffered(offset: number, length: number): Buffer | undefined {
    if (offset < blockOffset || Math.min(offset + length, size) > blockOffset + blockLength) return undefined
    return block.subarray(offset - blockOffset, Math.min(offset - blockOffset + length, blockLength))
  }

  return {
    size,

    /** To be called for each box, chunk, frame or segment. */
    countElement(): void {
      elements += 1
      if (elements > limits.elements) throw new ParserLimitReached()
    },

    /** What `read` returns, if it has been read already. Awaiting each of many elements would take most of the time. */
    buffered,

    /** At most a block of bytes, fewer at the end of the file. Valid until the next call. */
    async read(offset: number, length: number): Promise<Buffer> {
      if (buffered(offset, length) === undefined) await loadBlock(offset)
      return block.subarray(offset - blockOffset, Math.min(offset - blockOffset + length, blockLength))
    },

    /** Where a sequence of bytes next occurs, or -1. A native search: it costs no step per byte. */
    async indexOf(bytes: Buffer, from: number): Promise<number> {
      for (let offset = from; offset < size; offset += blockBytes - bytes.length + 1) {
        await loadBlock(offset)
        const index = block.subarray(0, blockLength).indexOf(bytes)
        if (index !== -1) return offset + index
        if (blockLength < bytes.length) return -1
      }
      return -1
    },

    /** The last block of the file. Valid until the next call. */
    async readEnd(): Promise<{ offset: number; bytes: Buffer }> {
      const offset = Math.max(0, size - blockBytes)
      await loadBlock(offset)
      return { offset, bytes: block.subarray(0, blockLength) }
    },

    counts: () => ({ reads, elements }),
  }
}
