import type { FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import type { ByteRange } from '../../media/storage/file-store.ts'

const pieceBytes = 256 * 1024

/** Buffers wait here for the next download, so that their memory stays mapped and warm. */
const spareBuffers: Buffer[] = []
const maxSpareBuffers = 32

/**
 * Sends a part of a local file whose length has been promised, and closes it. One buffer goes to and fro: a stream makes a new one for each
 * piece, and what that costs in fresh memory is more than the copying itself. Ends without a word when the client has gone.
 */
export async function streamLocalFile(
  file: FileHandle,
  { start, end }: ByteRange,
  response: ServerResponse,
): Promise<void> {
  const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
  try {
    for (let offset = start; offset <= end; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(pieceBytes, end + 1 - offset), offset)
      if (bytesRead === 0) throw new Error('the file is shorter than it was')
      offset += bytesRead
      await writePiece(response, buffer.subarray(0, bytesRead))
    }
    response.end()
    if (spareBuffers.length < maxSpareBuffers) spareBuffers.push(buffer)
  } catch {
    // The promised length cannot be kept any more, or nobody reads: the connection says so.
    response.destroy()
  } finally {
    await file.close().catch(() => undefined)
  }
}

/** Resolves when the bytes have left the buffer; rejects when the connection is gone. */
function writePiece(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('the client has gone'))
    if (response.destroyed) return onClose()
    response.once('close', onClose)
    response.write(piece, (error) => {
      response.off('close', onClose)
      if (error) reject(error)
      else resolve()
    })
  })
}
