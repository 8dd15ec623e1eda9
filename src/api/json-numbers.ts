/** A run of digits that a double may not hold, or an exponent that may lead beyond it. */
const suspicious = /\d{16}|\d[eE]\+?\d{2}/

/**
 * A text with its numbers kept as they were sent: a whole number above 2^53 becomes its digits, one beyond a double its literal.
 * `value` is what the text was parsed as; it is returned unchanged where the text holds no such number.
 */
export function keepExactNumbers(text: string, value: unknown): unknown {
  return suspicious.test(text) ? JSON.parse(text, exactNumber as Parameters<typeof JSON.parse>[1]) : value
}

/** A reviver of `JSON.parse`. `source` is the literal of a number. */
export function exactNumber(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  return source ?? value
}
