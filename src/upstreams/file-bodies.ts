import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Call, Media } from '../../providers/provider.ts'

/** A file in a JSON body: its content as base64 replaces `placeholder` in the text. It is opened when the body is read. */
export type InlineFile = { placeholder: string; bytes: number; open(): Promise<Readable> }

/** The JSON text with its files, as a stream: never in memory as a whole. */
export function createInlineBody(
  text: string,
  files: readonly InlineFile[],
): { body: Readable; length: number } {
  const pieces = splitAtPlaceholders(text, files)
  const lengths = pieces.map((piece) =>
    typeof piece === 'string' ? Buffer.byteLength(piece) : 4 * Math.ceil(piece.bytes / 3),
  )
  return { body: Readable.from(readPieces(pieces)), length: lengths.reduce((sum, length) => sum + length, 0) }
}

/** A placeholder may occur several times. */
function splitAtPlaceholders(text: string, files: readonly InlineFile[]): (string | InlineFile)[] {
  const [file, ...others] = files
  if (file === undefined) return [text]
  return text
    .split(file.placeholder)
    .flatMap((textPiece, index) => [
      ...(index === 0 ? [] : [file]),
      ...splitAtPlaceholders(textPiece, others),
    ])
}

async function* readPieces(pieces: readonly (string | InlineFile)[]) {
  for (const piece of pieces) {
    if (typeof piece === 'string') yield Buffer.from(piece)
    else yield* encodeBase64(await piece.open())
  }
}

/** Three bytes make four characters, so each piece but the last is a multiple of three bytes. */
async function* encodeBase64(stream: Readable) {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    const bytes = Buffer.concat([rest, chunk as Buffer])
    const wholeLength = bytes.length - (bytes.length % 3)
    rest = bytes.subarray(wholeLength)
    if (wholeLength > 0) yield Buffer.from(bytes.toString('base64', 0, wholeLength), 'latin1')
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1')
}

/** A file to upload; opened when the body is read, never in memory as a whole. */
export type FileUpload = { media: Media; open(): Promise<Readable> }

/** An upload at this speed or faster never times out. */
const minBytesPerMs = 256

export function uploadTimeLimitMs({ media }: FileUpload): number {
  return media.bytes / minBytesPerMs
}

/** The file as a request body: raw, or as the only part of a multipart form. */
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
