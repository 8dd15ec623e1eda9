import { decodeGroups } from './base64-bytes.ts'
import type { Scratch } from './scratch.ts'
import { createSink, type LocalFile } from './sink.ts'

/** What became of a data URL's text. */
export type Decoded =
  | LocalFile
  | { refused: 'not base64' | 'cut short' | 'empty' | 'too large'; limitBytes: number }

/**
 * Decodes the content of a data URL into a scratch file as it comes, cut into pieces anywhere, as the Fetch standard does; the
 * characters of URL-safe base64 are accepted too. After something wrong the rest is taken and forgotten.
 */
export async function createDecoder(scratch: Scratch, limitBytes: number, { base64 } = { base64: true }) {
  const sink = await createSink(scratch, limitBytes)
  const toPlain = createPercentDecoder(base64)
  const decode = base64 ? createBase64Decoder() : { write: toBytes, end: () => undefined, missing: () => 0 }
  let isBroken = false
  /** One for all pieces: new ones would wait for the garbage collector, a hundred megabytes of them. */
  let buffer = Buffer.alloc(0)

  async function take(text: string): Promise<void> {
    const bytes = decode.write(text)
    if (bytes === undefined) {
      isBroken = true
      await sink.drop()
    } else if (bytes.length > 0) await sink.write(bytes)
  }

  async function write(piece: string): Promise<void> {
    if (!isBroken && !sink.isTooLarge()) await take(toPlain.write(piece))
  }

  return {
    write,

    /** Takes plain base64 as bytes, without making a text of them. Returns how many it took; the others are for `write`. */
    async writeBytes(piece: Buffer): Promise<number> {
      if (!base64) return 0
      const missing = Math.min(decode.missing(), piece.length)
      if (missing > 0) await write(piece.toString('latin1', 0, missing))
      if (isBroken || sink.isTooLarge() || decode.missing() > 0 || !toPlain.isIdle()) return missing
      const groups = piece.subarray(missing)
      if (buffer.length < groups.length) buffer = Buffer.allocUnsafeSlow(groups.length)
      const taken = decodeGroups(groups, buffer)
      if (taken > 0) await sink.write(buffer.subarray(0, (taken / 4) * 3))
      return missing + taken
    },

    async end(): Promise<Decoded> {
      if (!isBroken && !sink.isTooLarge()) await take(toPlain.end())
      if (isBroken) return { refused: 'not base64', limitBytes }
      const rest = sink.isTooLarge() ? undefined : decode.end()
      const isCut = rest === 'cut short'
      if (rest !== undefined && rest !== 'cut short') await sink.write(rest)
      if (sink.isTooLarge()) return { refused: 'too large', limitBytes }
      const blob = await sink.end()
      if (!isCut && blob.bytes > 0) return blob
      await sink.drop()
      return { refused: isCut ? 'cut short' : 'empty', limitBytes }
    },

    drop: sink.drop,
  }
}

/** Text of characters up to U+00FF that stand for one byte each. */
function toBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/**
 * Undoes the percent-encoding, and what the parser of a URL does: tabs, line ends, the space at the end and a fragment are no content. Takes
 * time in proportion to the text, whatever it is.
 */
function createPercentDecoder(base64: boolean) {
  /** An escape or a character of two units that may go on in the next piece. */
  let rest = ''
  /** Space that may be the one at the end; base64 does not need all of it. */
  let space: string[] = []
  let isOver = false
  const ignored = base64 ? /[\t\n\f\r ]+/g : /[\t\n\r]+/g

  function decode(text: string): string {
    // Other characters than those of ASCII stand for their bytes in UTF-8.
    const plain = /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1')
    if (!plain.includes('%')) return plain
    return plain.replace(/%([\da-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
  }

  function keepSpace(text: string): void {
    if (!base64) space.push(text)
    else if (space.length === 0) space.push(text.slice(0, 1))
  }

  return {
    write(piece: string): string {
      if (isOver) return ''
      const text = /\s/.test(piece) ? piece.replace(ignored, '') : piece
      const end = endOfContent(text)
      if (end === 0 && rest === '') {
        if (text !== '') keepSpace(text)
        return ''
      }
      const content = space.join('') + rest + text.slice(0, end)
      space = []
      const hash = content.indexOf('#')
      isOver = hash !== -1
      if (isOver) {
        rest = ''
        return decode(content.slice(0, hash))
      }
      if (end < text.length) keepSpace(text.slice(end))
      rest = end < text.length ? '' : (/(?:%[\da-f]?|[\ud800-\udbff])$/i.exec(content.slice(-2))?.[0] ?? '')
      return decode(content.slice(0, content.length - rest.length))
    },
    isIdle: () => rest === '' && space.length === 0 && !isOver,
    end: (): string => decode(rest),
  }
}

/** Where the space at the end of a text begins. */
function endOfContent(text: string): number {
  let end = text.length
  while (end > 0 && isSpace(text[end - 1] ?? '')) end -= 1
  return end
}

/** NUL is an error, not space. */
function isSpace(character: string): boolean {
  return (character <= ' ' && character !== '\0') || (character > '\x7f' && /\s/.test(character))
}

/** `write` returns undefined for what is not base64. */
function createBase64Decoder() {
  /** Characters that do not make three bytes yet. */
  let rest = ''
  let padding = 0

  return {
    write(text: string): Buffer | undefined {
      const [, digits = '', equals = ''] =
        /^([\w+/-]*)(=*)$/.exec(/\s/.test(text) ? text.replace(/[\t\n\f\r ]/g, '') : text) ?? []
      const isEmpty = digits === '' && equals === ''
      if (isEmpty) return /[^\t\n\f\r ]/.test(text) ? undefined : Buffer.alloc(0)
      if (digits !== '' && padding > 0) return undefined
      padding += equals.length
      if (padding > 2) return undefined
      const joined = rest + digits
      const whole = joined.length - (joined.length % 4)
      rest = joined.slice(whole)
      return Buffer.from(joined.slice(0, whole), 'base64')
    },
    /** Characters that the group that has begun still needs. After padding there is no further group. */
    missing: () => (padding > 0 ? 1 : (4 - rest.length) % 4),
    /** Padding may be absent, but not be wrong. */
    end(): Buffer | 'cut short' | undefined {
      if (rest.length === 1 || (padding > 0 && (rest.length + padding) % 4 !== 0)) return 'cut short'
      return rest === '' ? undefined : Buffer.from(rest, 'base64')
    },
  }
}
