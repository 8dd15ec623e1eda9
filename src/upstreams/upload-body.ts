import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Call, Media } from '../../providers/provider.ts'

/** A file on its way to an upstream; opened when the call is made, never in memory as a whole. */
export type Upload = { media: Media; open(): Promise<Readable> }

/** No upload is given up that moves at least this fast. */
const slowestBytesAMs = 256

export function uploadMs({ media }: Upload): number {
  return media.bytes / slowestBytesAMs
}

/** The file as the body of a call: as it is, or as the one part of a form. */
export function uploadBody({ media, open }: Upload, as: NonNullable<Call['media']>) {
  if (as === 'body')
    return { body: Readable.from(content([], open, [])), type: media.contentType, length: media.bytes }
  const boundary = `reelgate-${randomUUID()}`
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="${as.field}"; filename="${media.filename}"\r\nContent-Type: ${media.contentType}\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    body: Readable.from(content([head], open, [tail])),
    type: `multipart/form-data; boundary=${boundary}`,
    length: head.length + media.bytes + tail.length,
  }
}

async function* content(before: readonly Buffer[], open: Upload['open'], after: readonly Buffer[]) {
  yield* before
  yield* await open()
  yield* after
}
