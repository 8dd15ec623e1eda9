import { decodeGroups } from './base64-bytes.ts'
import type { Scratch } from './scratch.ts'
import { createSink, type LocalFile } from './sink.ts'

/** What became of a data URL's text. */
export type Decoded =
  | LocalFile
  | { refused: 'not base64' | 'cut short' | 'empty' | 'too large'; limitBytes: number }

/** Decodes base64 into a scratch file as it comes. After something wrong the rest is taken and forgotten. */
export async function createDecoder(scratch: Scratch, limitBytes: number, _encoding = { base64: true }) {
  const sink = await createSink(scratch, limitBytes)
  /** Characters that do not make three bytes yet. */
  let rest = ''
  let padded = false
  let broken = false

  /** One buffer for all pieces: new ones would wait for the garbage collector, a hundred megabytes of them. */
  let buffer = Buffer.alloc(0)

  async function give(text: string): Promise<void> {
    if (text === '') return
    if (buffer.length < text.length) buffer = Buffer.allocUnsafeSlow(text.length)
    await sink.write(buffer.subarray(0, buffer.write(text, 'base64')))
  }

  return {
    async write(piece: string): Promise<void> {
      if (broken || sink.isTooLarge()) return
      const text = rest + (/\s/.test(piece) ? piece.replace(/\s+/g, '') : piece)
      const wrong = padded && text.length > rest.length && !/^=*$/.test(text.slice(rest.length))
      if (wrong || !/^[\w+/-]*={0,2}$/.test(text)) {
        broken = true
        return sink.drop()
      }
      padded = text.endsWith('=')
      const whole = padded ? 0 : text.length - (text.length % 4)
      rest = text.slice(whole)
      await give(text.slice(0, whole))
    },

    /** Takes plain base64 as bytes. Returns how many it took; the others are for `write`. */
    async writeBytes(piece: Buffer): Promise<number> {
      if (padded || broken || sink.isTooLarge()) return 0
      const missing = rest === '' ? 0 : Math.min(4 - rest.length, piece.length)
      if (missing > 0) await this.write(piece.toString('latin1', 0, missing))
      if (rest !== '') return missing
      const groups = piece.subarray(missing)
      if (buffer.length < groups.length) buffer = Buffer.allocUnsafeSlow(groups.length)
      const taken = decodeGroups(groups, buffer)
      if (taken > 0) await sink.write(buffer.subarray(0, (taken / 4) * 3))
      return missing + taken
    },

    async end(): Promise<Decoded> {
      if (broken) return { refused: 'not base64', limitBytes }
      const short = rest.length % 4 !== 0
      if (!short) await give(rest)
      if (sink.isTooLarge()) return { refused: 'too large', limitBytes }
      const blob = await sink.end()
      if (!short && blob.bytes > 0) return blob
      await sink.drop()
      return { refused: short ? 'cut short' : 'empty', limitBytes }
    },

    drop: sink.drop,
  }
}
