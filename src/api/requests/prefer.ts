/** A preference of RFC 7240: a name, and a value that may be quoted; parameters after a semicolon belong to it. */
const preferencePattern =
  /(?:^|,)\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s",;]*))?(?:[^",]|"(?:[^"\\]|\\.)*")*/g

/** Longer than any real header. */
const maxHeaderCharacters = 2000

/** Reads `Prefer`: names in lower case. Of several preferences with one name, the first counts. */
export function readPreferences(header: string | readonly string[] | undefined): ReadonlyMap<string, string> {
  const text = [header ?? []].flat().join(',').slice(0, maxHeaderCharacters)
  const preferences = new Map<string, string>()
  for (const [, name = '', value = ''] of text.matchAll(preferencePattern)) {
    const key = name.toLowerCase()
    if (!preferences.has(key)) preferences.set(key, unquote(value))
  }
  return preferences
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
