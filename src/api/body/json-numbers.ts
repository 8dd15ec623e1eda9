/** A run of digits that a double may not hold, or an exponent that may lead beyond it. */
const inexactNumberPattern = /\d{16}|\d[eE]\+?\d{2}/

/** A JSON number as the catalogue takes it: its literal where a double would be another number (above 2^53) or none (1e400). */
export function toExactNumber(literal: string): number | string {
  const number = Number(literal)
  return Math.abs(number) > Number.MAX_SAFE_INTEGER ? literal : number
}

/** The value of a JSON text, with its numbers as they were sent. `parsed`: what `JSON.parse` made of it. */
export function withExactNumbers(text: string, parsed: unknown): unknown {
  return inexactNumberPattern.test(text) ? JSON.parse(text, reviveExactNumber) : parsed
}

function reviveExactNumber(
  _key: string,
  value: unknown,
  ...context: readonly { source?: string }[]
): unknown {
  const [{ source } = {}] = context
  return typeof value === 'number' && source !== undefined ? toExactNumber(source) : value
}
