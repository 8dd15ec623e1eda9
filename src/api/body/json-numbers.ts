/** Digits or an exponent that a double may not represent exactly. */
const inexactNumberPattern = /\d{16}|\d[eE]\+?\d{2}/

/** The number of a JSON literal, or the literal itself where a double cannot represent it (above 2^53, 1e400). */
export function toExactNumber(literal: string): number | string {
  const number = Number(literal)
  return Math.abs(number) > Number.MAX_SAFE_INTEGER ? literal : number
}

/** The value of a JSON text with exact numbers. `parsed`: the result of `JSON.parse`. */
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
