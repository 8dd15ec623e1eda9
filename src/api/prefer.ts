/** A preference of RFC 7240: a name, and a value that may be quoted; parameters after a semicolon belong to it. */
const preference =
  /(?:^|,)\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s",;]*))?(?:[^",]|"(?:[^"\\]|\\.)*")*/g

/** No program has more to say. */
const longestHeader = 2000

/** Reads `Prefer`: names in lower case. Of several preferences with one name, the first counts. */
export function readPreferences(header: string | readonly string[] | undefined): ReadonlyMap<string, string> {
  const text = [header ?? []].flat().join(',').slice(0, longestHeader)
  const found = new Map<string, string>()
  for (const [, name = '', value = ''] of text.matchAll(preference)) {
    const key = name.toLowerCase()
    if (!found.has(key)) found.set(key, unquoted(value))
  }
  return found
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
