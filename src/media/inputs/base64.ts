import type { TempDir } from '../storage/temp-dir.ts'
import { createTempFileWriter, type TempFile } from '../storage/temp-file-writer.ts'
import { decodeBase64Groups } from './base64-bytes.ts'

/** What became of a data URL's text. */
export type DecodedFile =
  | TempFile
  | { problem: 'not base64' | 'cut short' | 'empty' | 'too large'; limitBytes: number }

/**
 * Decodes the content of a data URL into a temporary file while it arrives, in pieces of any size, as the Fetch standard does. URL-safe
 * base64 is accepted too. After an invalid character, the rest is read and discarded.
 */
export async function createDataUrlDecoder(
  tempDir: TempDir,
  limitBytes: number,
  { base64 } = { base64: true },
) {
  const writer = await createTempFileWriter(tempDir, limitBytes)
  const percentDecoder = createPercentDecoder(base64)
  const contentDecoder = base64
    ? createBase64Decoder()
    : { write: latin1ToBytes, end: () => undefined, missingCharacters: () => 0 }
  let isInvalid = false
  /** One for all pieces: new ones would wait for the garbage collector, a hundred megabytes of them. */
  let decodeBuffer = Buffer.alloc(0)

  async function decodeAndWrite(text: string): Promise<void> {
    const bytes = contentDecoder.write(text)
    if (bytes === undefined) {
      isInvalid = true
      await writer.discard()
    } else if (bytes.length > 0) await writer.write(bytes)
  }

  async function write(chunk: string): Promise<void> {
    if (!isInvalid && !writer.isTooLarge()) await decodeAndWrite(percentDecoder.write(chunk))
  }

  return {
    write,

    /** Takes plain base64 as bytes, without making a text of them. Returns how many it took; the others are for `write`. */
    async writeBytes(chunk: Buffer): Promise<number> {
      if (!base64) return 0
      const missingBytes = Math.min(contentDecoder.missingCharacters(), chunk.length)
      if (missingBytes > 0) await write(chunk.toString('latin1', 0, missingBytes))
      if (
        isInvalid ||
        writer.isTooLarge() ||
        contentDecoder.missingCharacters() > 0 ||
        !percentDecoder.hasNothingPending()
      )
        return missingBytes
      const remaining = chunk.subarray(missingBytes)
      if (decodeBuffer.length < remaining.length) decodeBuffer = Buffer.allocUnsafeSlow(remaining.length)
      const takenBytes = decodeBase64Groups(remaining, decodeBuffer)
      if (takenBytes > 0) await writer.write(decodeBuffer.subarray(0, (takenBytes / 4) * 3))
      return missingBytes + takenBytes
    },

    async end(): Promise<DecodedFile> {
      if (!isInvalid && !writer.isTooLarge()) await decodeAndWrite(percentDecoder.end())
      if (isInvalid) return { problem: 'not base64', limitBytes }
      const lastBytes = writer.isTooLarge() ? undefined : contentDecoder.end()
      const isTruncated = lastBytes === 'cut short'
      if (lastBytes !== undefined && lastBytes !== 'cut short') await writer.write(lastBytes)
      if (writer.isTooLarge()) return { problem: 'too large', limitBytes }
      const file = await writer.end()
      if (!isTruncated && file.bytes > 0) return file
      await writer.discard()
      return { problem: isTruncated ? 'cut short' : 'empty', limitBytes }
    },

    discard: writer.discard,
  }
}

/** Text of characters up to U+00FF that stand for one byte each. */
function latin1ToBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/**
 * Decodes the percent-encoding, and removes what a URL parser removes: tabs, line ends, trailing space and the fragment. Takes linear
 * time for any text.
 */
function createPercentDecoder(base64: boolean) {
  /** An escape or a character of two units that may go on in the next piece. */
  let pending = ''
  /** Space that may be the one at the end; base64 does not need all of it. */
  let pendingSpace: string[] = []
  let hasReachedFragment = false
  const ignoredSpace = /[\t\n\r]+/g

  function decodePercent(text: string): string {
    // Characters outside ASCII represent their UTF-8 bytes.
    const latin1 = /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1')
    if (!latin1.includes('%')) return latin1
    return latin1.replace(/%([\da-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
  }

  function addPendingSpace(text: string): void {
    if (!base64) pendingSpace.push(text)
    else if (pendingSpace.length === 0) pendingSpace.push(text.slice(0, 1))
  }

  return {
    write(chunk: string): string {
      if (hasReachedFragment) return ''
      const text = /\s/.test(chunk) ? chunk.replace(ignoredSpace, '') : chunk
      const contentEnd = endOfContent(text)
      if (contentEnd === 0 && pending === '') {
        if (text !== '') addPendingSpace(text)
        return ''
      }
      const content = pendingSpace.join('') + pending + text.slice(0, contentEnd)
      pendingSpace = []
      const fragmentStart = content.indexOf('#')
      hasReachedFragment = fragmentStart !== -1
      if (hasReachedFragment) {
        pending = ''
        return decodePercent(content.slice(0, fragmentStart))
      }
      if (contentEnd < text.length) addPendingSpace(text.slice(contentEnd))
      pending =
        contentEnd < text.length ? '' : (/(?:%[\da-f]?|[\ud800-\udbff])$/i.exec(content.slice(-2))?.[0] ?? '')
      return decodePercent(content.slice(0, content.length - pending.length))
    },
    hasNothingPending: () => pending === '' && pendingSpace.length === 0 && !hasReachedFragment,
    end: (): string => decodePercent(pending),
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
  let pendingDigits = ''
  let padding = 0

  return {
    write(text: string): Buffer | undefined {
      const [, digits = '', paddingCharacters = ''] =
        /^([\w+/-]*)(=*)$/.exec(/\s/.test(text) ? text.replace(/[\t\n\f\r ]/g, '') : text) ?? []
      const isEmpty = digits === '' && paddingCharacters === ''
      if (isEmpty) return /[^\t\n\f\r ]/.test(text) ? undefined : Buffer.alloc(0)
      if (digits !== '' && padding > 0) return undefined
      padding += paddingCharacters.length
      if (padding > 2) return undefined
      const joined = pendingDigits + digits
      const wholeLength = joined.length - (joined.length % 4)
      pendingDigits = joined.slice(wholeLength)
      return Buffer.from(joined.slice(0, wholeLength), 'base64')
    },
    /** Characters that the group that has begun still needs. After padding there is no further group. */
    missingCharacters: () => (padding > 0 ? 1 : (4 - pendingDigits.length) % 4),
    /** Padding may be absent, but not be wrong. */
    end(): Buffer | 'cut short' | undefined {
      if (pendingDigits.length === 1 || (padding > 0 && (pendingDigits.length + padding) % 4 !== 0))
        return 'cut short'
      return pendingDigits === '' ? undefined : Buffer.from(pendingDigits, 'base64')
    },
  }
}
