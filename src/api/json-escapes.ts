import { invalidJson } from './json-limits.ts'

/** Resolves JSON's escapes in a text that arrives in pieces; an escape may be cut in two between them. */
export function createUnescape() {
  let rest = ''
  return (piece: string, isLast = false): string => {
    const text = rest + piece
    const end = isLast ? text.length : startOfUnfinished(text)
    rest = text.slice(end)
    return readStringContent(text.slice(0, end))
  }
}

/** The text of a string as it stands in JSON. Throws for what no JSON string may hold. */
export function readStringContent(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string.
  if (!/[\0-\x1f\\"]/.test(text)) return text
  try {
    return String(JSON.parse(`"${text}"`))
  } catch (cause) {
    throw invalidJson(cause)
  }
}

/** Where an escape begins that the text does not finish; the length of the text where there is none. */
function startOfUnfinished(text: string): number {
  const at = text.lastIndexOf('\\')
  if (at === -1 || at < text.length - 5) return text.length
  let before = at
  while (before > 0 && text[before - 1] === '\\') before -= 1
  // An odd number of backslashes ahead of it makes it an escaped one.
  if ((at - before) % 2 === 1) return text.length
  return /^(u[\da-fA-F]{0,3})?$/.test(text.slice(at + 1)) ? at : text.length
}
