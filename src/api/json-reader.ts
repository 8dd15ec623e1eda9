import { isUtf8 } from 'node:buffer'
import { StringDecoder } from 'node:string_decoder'
import { freeMemory } from './body-arrival.ts'
import { createUnescape, readStringContent } from './json-escapes.ts'
import { invalidJson, type JsonLimits, notUtf8, tooDeep, tooManyValues, tooMuchJson } from './json-limits.ts'
import { exactNumber } from './json-numbers.ts'
import { type Position, positionOf } from './media-positions.ts'

/** A file that is written while the text of its string arrives. */
type Extraction = {
  write(text: string): Promise<void>
  /** Takes plain text as bytes. Returns how many it took. */
  writeBytes(piece: Buffer): Promise<number>
  end(): Promise<unknown>
  drop(): Promise<void>
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

type Container = unknown[] | Record<string, unknown>
type Frame = { container: Container; position: Position; key: string | undefined; isEmpty: boolean }
type Expected = 'value' | 'key' | 'colon' | 'next'

/** A shorter text in a media field stays in the body. */
const extractedBytes = 8 * 1024
const reservedBytes = 64 * 1024

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]
const literals = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])
const numberShape = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * Parses JSON as it arrives, in linear time and with bounded memory. It stops with an error at the byte that exceeds a limit. Long texts in
 * media fields become files; their content is neither in memory nor counted.
 */
export function createJsonReader({ limits, reserve, extract }: Options): JsonReader {
  const frames: Frame[] = []
  let result: unknown
  let expected: Expected = 'value'
  let isDone = false
  let values = 0
  let isStart = true
  let keptBytes = 0
  let reserved = 0

  /** The string or the literal that has begun. */
  let token: 'string' | 'literal' | undefined
  let pieces: Buffer[] = []
  let tokenBytes = 0
  let hasEscapes = false
  let isEscaped = false
  let position: Position = 'body'
  let extraction: { file: Extraction; decode(piece: Buffer): string; isPlain: boolean } | undefined
  let mayExtract = false

  function keep(bytes: number): void {
    keptBytes += bytes
    if (keptBytes > limits.bytes) throw tooMuchJson(limits.bytes, topKey())
    if (keptBytes > reserved) {
      reserve(reservedBytes)
      reserved += reservedBytes
    }
  }

  function topKey(): string | undefined {
    return frames[0]?.key
  }

  /** A value begins here. */
  function begin(): void {
    const frame = frames.at(-1)
    if (expected !== 'value' || isDone) throw invalidJson()
    values += 1
    if (values > limits.values) throw tooManyValues(limits.values)
    position = frame === undefined ? 'body' : positionOf(frame.position, frame.key)
    if (frame !== undefined) frame.isEmpty = false
  }

  function add(value: unknown): void {
    const frame = frames.at(-1)
    if (frame === undefined) {
      result = value
      isDone = true
    } else if (Array.isArray(frame.container)) frame.container.push(value)
    else frame.container[frame.key ?? ''] = value
    expected = 'next'
  }

  function open(container: Container): void {
    begin()
    if (frames.length === limits.depth) throw tooDeep(limits.depth)
    frames.push({ container, position, key: undefined, isEmpty: true })
    expected = Array.isArray(container) ? 'value' : 'key'
  }

  function close(isList: boolean): void {
    const frame = frames.at(-1)
    const mayEnd = expected === 'next' || frame?.isEmpty === true
    if (frame === undefined || Array.isArray(frame.container) !== isList || !mayEnd) throw invalidJson()
    frames.pop()
    add(frame.container)
  }

  function next(): void {
    const frame = frames.at(-1)
    if (frame === undefined || expected !== 'next') throw invalidJson()
    expected = Array.isArray(frame.container) ? 'value' : 'key'
  }

  function beginString(): void {
    const frame = frames.at(-1)
    mayExtract = false
    if (expected === 'key' && frame !== undefined) frame.isEmpty = false
    else {
      begin()
      mayExtract = position === 'media'
    }
    token = 'string'
    hasEscapes = false
    isEscaped = false
  }

  function text(): string {
    const bytes = takeToken()
    if (!isUtf8(bytes)) throw notUtf8()
    return readStringContent(bytes.toString('utf8'))
  }

  function takeToken(): Buffer {
    const [only] = pieces
    const bytes = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
    if (bytes !== only) freePieces()
    pieces = []
    tokenBytes = 0
    token = undefined
    return bytes
  }

  /** All but the last are copies; the last may be a part of the piece that is being read. */
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
      add(value)
      return
    }
    const value = text()
    if (expected !== 'key') return add(value)
    const frame = frames.at(-1)
    if (frame === undefined || value === '__proto__') throw invalidJson()
    frame.key = value
    expected = 'colon'
  }

  function endLiteral(): void {
    const source = takeToken().toString('latin1')
    const value = literals.get(source)
    if (value !== undefined) add(value)
    else if (numberShape.test(source)) add(exactNumber(source))
    else throw invalidJson()
  }

  async function take(piece: Buffer): Promise<void> {
    if (extraction !== undefined) return extractPiece(extraction, piece)
    pieces.push(piece)
    tokenBytes += piece.length
    if (mayExtract && tokenBytes >= extractedBytes) await tryToExtract()
    else if (!mayExtract) keep(piece.length)
  }

  async function extractPiece(to: NonNullable<typeof extraction>, piece: Buffer): Promise<void> {
    const taken = hasEscapes || !to.isPlain ? 0 : await to.file.writeBytes(piece)
    if (taken === piece.length) return
    // A few at the end of a piece are no whole group.
    to.isPlain = piece.length - taken < 4
    await to.file.write(to.decode(piece.subarray(taken)))
  }

  /** Bytes of a text that may be a file are counted once it is known to be none. */
  async function tryToExtract(): Promise<void> {
    mayExtract = false
    const decode = createStringDecoder()
    const held = Buffer.concat(pieces)
    const start = decode(held)
    const found = await extract(start)
    if (found === undefined) return keep(held.length)
    extraction = { file: found.file, decode, isPlain: true }
    pieces = []
    tokenBytes = 0
    await found.file.write(start.slice(found.skip))
  }

  /** Offset of the quote that ends the string, or the end of the piece. */
  function endOfString(piece: Buffer, from: number, nextBackslash: number): number {
    const end = piece.indexOf(quote, from)
    const stop = end === -1 ? piece.length : end
    if (!isEscaped && (nextBackslash === -1 || nextBackslash > stop)) return stop
    hasEscapes = true
    for (let at = from; at < piece.length; at += 1) {
      if (isEscaped) isEscaped = false
      else if (piece[at] === backslash) isEscaped = true
      else if (piece[at] === quote) return at
    }
    return piece.length
  }

  async function parse(piece: Buffer): Promise<void> {
    let at = isStart && piece.subarray(0, 3).toString('latin1') === '\xef\xbb\xbf' ? 3 : 0
    isStart = false
    let nextBackslash = -2
    while (at < piece.length) {
      if (token === 'string') {
        if (nextBackslash !== -1 && nextBackslash < at) nextBackslash = piece.indexOf(backslash, at)
        const end = endOfString(piece, at, nextBackslash)
        if (end > at) await take(piece.subarray(at, end))
        at = end
        if (at === piece.length) return
        at += 1
        if (mayExtract) keep(tokenBytes)
        await endString()
        continue
      }
      const byte = piece[at] ?? 0
      if (token === 'literal') {
        if (!isDelimiter(byte)) {
          const end = endOfLiteral(piece, at)
          await take(piece.subarray(at, end))
          at = end
          continue
        }
        endLiteral()
      }
      keep(1)
      at += 1
      if (byte === quote) beginString()
      else if (byte === comma) next()
      else if (byte === colon && expected === 'colon') expected = 'value'
      else if (byte === openBrace) open({})
      else if (byte === openBracket) open([])
      else if (byte === closeBrace) close(false)
      else if (byte === closeBracket) close(true)
      else if (!isSpace(byte)) {
        begin()
        mayExtract = false
        token = 'literal'
        at -= 1
        keptBytes -= 1
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
      if (token !== undefined || frames.length > 0) throw invalidJson()
      return result
    },

    async drop(): Promise<void> {
      freePieces()
      await extraction?.file.drop()
      extraction = undefined
    },
  }
}

function createStringDecoder(): (piece: Buffer) => string {
  const decoder = new StringDecoder('utf8')
  const resolveEscapes = createUnescape()
  return (piece) =>
    resolveEscapes(piece.length === 0 ? decoder.end() : decoder.write(piece), piece.length === 0)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isDelimiter(byte: number): boolean {
  return isSpace(byte) || byte === comma || byte === closeBrace || byte === closeBracket || byte === colon
}

function endOfLiteral(piece: Buffer, from: number): number {
  let at = from
  while (at < piece.length && !isDelimiter(piece[at] ?? 0)) at += 1
  return at
}
