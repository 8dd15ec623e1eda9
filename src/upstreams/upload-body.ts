import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Call, Media } from '../../providers/provider.ts'

/** A file on its way to an upstream; opened when the call is made, never in memory as a whole. */
export type FileUpload = { media: Media; open(): Promise<Readable> }

/** No upload is given up that moves at least this fast. */
const minBytesPerMs = 256

export function uploadTimeLimitMs({ media }: FileUpload): number {
  return media.bytes / minBytesPerMs
}

/** The file as the body of a call: as it is, or as the one part of a form. */
export function createUploadBody({ media, open }: FileUpload, bodyFormat: NonNullable<Call['media']>) {
  if (bodyFormat === 'body')
    return { body: Readable.from(readContent([], open, [])), type: media.contentType, length: media.bytes }
  const boundary = `reelgate-${randomUUID()}`
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="${bodyFormat.field}"; filename="${media.filename}"\r\nContent-Type: ${media.contentType}\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    body: Readable.from(readContent([head], open, [tail])),
    type: `multipart/form-data; boundary=${boundary}`,
    length: head.length + media.bytes + tail.length,
  }
}

async function* readContent(before: readonly Buffer[], open: FileUpload['open'], after: readonly Buffer[]) {
  yield* before
  yield* await open()
  yield* after
}
