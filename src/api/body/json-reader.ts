import { isUtf8 } from 'node:buffer'
import type { JsonLimits } from '../../config/request-limits.ts'
import { freeMemory } from './body-arrival.ts'
import { createStringDecoder, readStringContent } from './json-escapes.ts'
import { invalidJsonError, jsonTooLargeError, notUtf8Error } from './json-limits.ts'
import { toExactNumber } from './json-numbers.ts'
import { createJsonTree } from './json-tree.ts'

/** A file that is written while the text of its string arrives. */
type Extraction = {
  write(text: string): Promise<void>
  /** Writes base64 given as bytes. Returns how many were used. */
  writeBytes(piece: Buffer): Promise<number>
  end(): Promise<unknown>
  discard(): Promise<void>
}

type Options = {
  limits: JsonLimits
  /** Called before more of the JSON is kept in memory; may throw. */
  reserve(bytes: number): void
  /** Called with the first characters of a long text in a media field. `undefined`: it stays a text. */
  extract(text: string): Promise<{ file: Extraction; skip: number } | undefined>
}

export type JsonReader = {
  write(piece: Buffer): Promise<void>
  /** The value; `undefined` for an empty body. */
  end(): unknown
  drop(): Promise<void>
}

/** Shorter texts in media fields stay in the body. */
const minExtractedBytes = 8 * 1024
const reservationStepBytes = 64 * 1024

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]
const literals = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * Parses JSON as it arrives, in linear time and with limited memory. Fails at the byte that exceeds a limit. Long texts in media fields are written
 * to files; they are neither kept in memory nor counted.
 */
export function createJsonReader({ limits, reserve, extract }: Options): JsonReader {
  const tree = createJsonTree(limits)
  let isStart = true
  let jsonBytes = 0
  let reservedJsonBytes = 0

  /** The string or the literal that has begun. */
  let token: 'string' | 'literal' | undefined
  let pieces: Buffer[] = []
  let tokenBytes = 0
  let hasEscapes = false
  let isEscaped = false
  let extraction: { file: Extraction; decode(piece: Buffer): string; isPlain: boolean } | undefined
  let mayExtract = false

  function countJson(bytes: number): void {
    jsonBytes += bytes
    if (jsonBytes > limits.bytes) throw jsonTooLargeError(limits.bytes, tree.topLevelKey())
    if (jsonBytes > reservedJsonBytes) {
      reserve(reservationStepBytes)
      reservedJsonBytes += reservationStepBytes
    }
  }

  function beginString(): void {
    mayExtract = tree.beginString() === 'media'
    token = 'string'
    hasEscapes = false
    isEscaped = false
  }

  function readString(): string {
    const bytes = takeToken()
    if (!isUtf8(bytes)) throw notUtf8Error()
    return readStringContent(bytes.toString('utf8'))
  }

  function takeToken(): Buffer {
    const [onlyPiece] = pieces
    const bytes = pieces.length === 1 && onlyPiece !== undefined ? onlyPiece : Buffer.concat(pieces)
    if (bytes !== onlyPiece) freePieces()
    pieces = []
    tokenBytes = 0
    token = undefined
    return bytes
  }

  /** All but the last are copies; the last may be part of the chunk that is being read. */
  function freePieces(): void {
    for (const piece of pieces) freeMemory(piece)
  }

  async function endString(): Promise<void> {
    if (extraction !== undefined) {
      const { file, decode } = extraction
      await file.write(decode(Buffer.alloc(0)))
      const value = await file.end()
      extraction = undefined
      token = undefined
      tree.addValue(value)
    } else tree.addString(readString())
  }

  function endLiteral(): void {
    const source = takeToken().toString('latin1')
    const value = literals.get(source)
    if (value !== undefined) tree.addValue(value)
    else if (numberPattern.test(source)) tree.addValue(toExactNumber(source))
    else throw invalidJsonError()
  }

  async function addToToken(piece: Buffer): Promise<void> {
    if (extraction !== undefined) return extractPiece(extraction, piece)
    pieces.push(piece)
    tokenBytes += piece.length
    if (mayExtract && tokenBytes >= minExtractedBytes) await tryToExtract()
    else if (!mayExtract) countJson(piece.length)
  }

  async function extractPiece(target: NonNullable<typeof extraction>, piece: Buffer): Promise<void> {
    const writtenBytes = hasEscapes || !target.isPlain ? 0 : await target.file.writeBytes(piece)
    if (writtenBytes === piece.length) return
    // Up to three bytes at the end of a chunk are no complete base64 group.
    target.isPlain = piece.length - writtenBytes < 4
    await target.file.write(target.decode(piece.subarray(writtenBytes)))
  }

  /** The bytes of a text that may be a file are counted once it is known not to be one. */
  async function tryToExtract(): Promise<void> {
    mayExtract = false
    const decode = createStringDecoder()
    const heldBytes = Buffer.concat(pieces)
    const start = decode(heldBytes)
    const extracted = await extract(start)
    if (extracted === undefined) return countJson(heldBytes.length)
    extraction = { file: extracted.file, decode, isPlain: true }
    pieces = []
    tokenBytes = 0
    await extracted.file.write(start.slice(extracted.skip))
  }

  /** Offset of the quote that ends the string, or the end of the piece. */
  function findEndOfString(piece: Buffer, from: number, nextBackslash: number): number {
    const end = piece.indexOf(quote, from)
    const stop = end === -1 ? piece.length : end
    if (!isEscaped && (nextBackslash === -1 || nextBackslash > stop)) return stop
    hasEscapes = true
    for (let offset = from; offset < piece.length; offset += 1) {
      if (isEscaped) isEscaped = false
      else if (piece[offset] === backslash) isEscaped = true
      else if (piece[offset] === quote) return offset
    }
    return piece.length
  }

  async function parse(piece: Buffer): Promise<void> {
    let offset = isStart && piece.subarray(0, 3).toString('latin1') === '\xef\xbb\xbf' ? 3 : 0
    isStart = false
    let nextBackslash = -2
    while (offset < piece.length) {
      if (token === 'string') {
        if (nextBackslash !== -1 && nextBackslash < offset) nextBackslash = piece.indexOf(backslash, offset)
        const end = findEndOfString(piece, offset, nextBackslash)
        if (end > offset) await addToToken(piece.subarray(offset, end))
        offset = end
        if (offset === piece.length) return
        offset += 1
        if (mayExtract) countJson(tokenBytes)
        await endString()
        continue
      }
      const byte = piece[offset] ?? 0
      if (token === 'literal') {
        if (!isDelimiter(byte)) {
          const end = findEndOfLiteral(piece, offset)
          await addToToken(piece.subarray(offset, end))
          offset = end
          continue
        }
        endLiteral()
      }
      countJson(1)
      offset += 1
      if (byte === quote) beginString()
      else if (byte === comma) tree.readComma()
      else if (byte === colon) tree.readColon()
      else if (byte === openBrace) tree.open({})
      else if (byte === openBracket) tree.open([])
      else if (byte === closeBrace) tree.close(false)
      else if (byte === closeBracket) tree.close(true)
      else if (!isSpace(byte)) {
        tree.beginValue()
        mayExtract = false
        token = 'literal'
        offset -= 1
        jsonBytes -= 1
      }
    }
  }

  return {
    /** The memory of the piece may be reused afterwards. */
    async write(piece: Buffer): Promise<void> {
      await parse(piece)
      const last = pieces.pop()
      if (last !== undefined) pieces.push(Buffer.from(last))
    },
    end(): unknown {
      if (token === 'literal') endLiteral()
      if (token !== undefined) throw invalidJsonError()
      return tree.end()
    },

    async drop(): Promise<void> {
      freePieces()
      await extraction?.file.discard()
      extraction = undefined
    },
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isDelimiter(byte: number): boolean {
  return isSpace(byte) || byte === comma || byte === closeBrace || byte === closeBracket || byte === colon
}

function findEndOfLiteral(piece: Buffer, from: number): number {
  let offset = from
  while (offset < piece.length && !isDelimiter(piece[offset] ?? 0)) offset += 1
  return offset
}
