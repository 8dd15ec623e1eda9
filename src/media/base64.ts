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

  async function give(text: string): Promise<void> {
    if (text !== '') await sink.write(Buffer.from(text, 'base64'))
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
