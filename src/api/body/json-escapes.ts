import { StringDecoder } from 'node:string_decoder'
import { invalidJsonError } from './json-limits.ts'

/** Decodes the bytes of a JSON string that arrives in pieces; an empty piece ends it. */
export function createStringDecoder(): (piece: Buffer) => string {
  const decoder = new StringDecoder('utf8')
  const resolveEscapes = createUnescaper()
  return (piece) =>
    resolveEscapes(piece.length === 0 ? decoder.end() : decoder.write(piece), piece.length === 0)
}

/** Resolves JSON's escapes in a text that arrives in pieces; an escape may be split between two of them. */
function createUnescaper() {
  let rest = ''
  return (piece: string, isLast = false): string => {
    const text = rest + piece
    const end = isLast ? text.length : findUnfinishedEscape(text)
    rest = text.slice(end)
    return readStringContent(text.slice(0, end))
  }
}

/** The text of a JSON string, given without its quotes. Throws for what a JSON string must not contain. */
export function readStringContent(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string.
  if (!/[\0-\x1f\\"]/.test(text)) return text
  try {
    return String(JSON.parse(`"${text}"`))
  } catch (cause) {
    throw invalidJsonError(cause)
  }
}

/** Where an unfinished escape begins; the length of the text where there is none. */
function findUnfinishedEscape(text: string): number {
  const lastBackslash = text.lastIndexOf('\\')
  if (lastBackslash === -1 || lastBackslash < text.length - 5) return text.length
  let firstBackslash = lastBackslash
  while (firstBackslash > 0 && text[firstBackslash - 1] === '\\') firstBackslash -= 1
  // After an odd number of backslashes it is itself escaped.
  if ((lastBackslash - firstBackslash) % 2 === 1) return text.length
  return /^(u[\da-fA-F]{0,3})?$/.test(text.slice(lastBackslash + 1)) ? lastBackslash : text.length
}
