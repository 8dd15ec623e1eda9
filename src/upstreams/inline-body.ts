import { Readable } from 'node:stream'

/** A file inside a JSON body: where `mark` stands in the text, its content goes as base64, read when the call is made. */
export type Inline = { mark: string; bytes: number; open(): Promise<Readable> }

/** A JSON text with its files, never in memory as a whole. */
export function inlineBody(text: string, files: readonly Inline[]): { body: Readable; length: number } {
  const parts = split(text, files)
  const lengths = parts.map((part) =>
    typeof part === 'string' ? Buffer.byteLength(part) : 4 * Math.ceil(part.bytes / 3),
  )
  return { body: Readable.from(content(parts)), length: lengths.reduce((sum, length) => sum + length, 0) }
}

/** The text cut at the marks; one file may be meant several times. */
function split(text: string, files: readonly Inline[]): (string | Inline)[] {
  const [file, ...others] = files
  if (file === undefined) return [text]
  return text
    .split(file.mark)
    .flatMap((piece, index) => [...(index === 0 ? [] : [file]), ...split(piece, others)])
}

async function* content(parts: readonly (string | Inline)[]) {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part)
    else yield* base64(await part.open())
  }
}

/** Three bytes make four characters, so pieces are cut at multiples of three. */
async function* base64(stream: Readable) {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of stream) {
    const all = Buffer.concat([rest, piece as Buffer])
    const whole = all.length - (all.length % 3)
    rest = all.subarray(whole)
    if (whole > 0) yield Buffer.from(all.toString('base64', 0, whole), 'latin1')
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1')
}
