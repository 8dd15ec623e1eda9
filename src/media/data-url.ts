export type DataUrlHead = {
  /** Characters up to and including the comma. */
  length: number
  /** Media type, with its parameters; empty where none is declared. */
  type: string
  base64: boolean
}

const head = /^\s*data:([^,"]*);base64,/i

/** Reads the head of a data URL from the first characters of a text; `undefined`: the text is not a data URL. */
export function readDataUrlHead(text: string): DataUrlHead | undefined {
  const found = head.exec(text)
  if (found === null) return undefined
  const [prefix, type = ''] = found
  return { length: prefix.length, type, base64: true }
}
