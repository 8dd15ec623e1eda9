/** Limits of the texts of clients and upstreams that are stored in Redis. */
export type TextLimits = {
  /** Of a link in a request, in bytes. */
  linkMaxBytes: number
  /** Of an ID in a request, in characters. */
  idMaxCharacters: number
  /** Of a list in a request. */
  listMaxItems: number
  /** Of a job's whole record, in bytes. */
  recordMaxBytes: number
}

export const defaultTextLimits: TextLimits = {
  linkMaxBytes: 8192,
  idMaxCharacters: 256,
  listMaxItems: 100,
  recordMaxBytes: 64 * 1024,
}

/** Truncates a text to at most `maxCharacters` code points. Deterministic. */
export function shorten(text: string, maxCharacters: number): string {
  // A character has one or two code units.
  if (text.length <= maxCharacters) return text
  const characters = [...text.slice(0, 2 * maxCharacters)]
  return characters.length <= maxCharacters && text.length <= 2 * maxCharacters
    ? text
    : `${characters.slice(0, maxCharacters - 1).join('')}…`
}

export function utf8ByteLength(text: string): number {
  return Buffer.byteLength(text)
}
