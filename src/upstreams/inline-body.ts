import { Readable } from 'node:stream'

/** A file inside a JSON body: where `mark` stands in the text, its content goes as base64, read when the call is made. */
export type InlineFile = { placeholder: string; bytes: number; open(): Promise<Readable> }

/** A JSON text with its files, never in memory as a whole. */
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

/** The text cut at the marks; one file may be meant several times. */
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

/** Three bytes make four characters, so pieces are cut at multiples of three. */
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
