const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const invalid = 0xff
const values = new Uint8Array(256).fill(invalid)
for (const [value, character] of [...characters].entries()) values[character.charCodeAt(0)] = value

/**
 * Decodes base64 from bytes to bytes, up to the last whole group of four plain characters. Returns how many bytes it read; it wrote three
 * for each four of them. Unlike `Buffer.from` it makes no string, so that a large file leaves no garbage.
 */
export function decodeGroups(from: Uint8Array, to: Uint8Array): number {
  let written = 0
  let at = 0
  for (; at + 4 <= from.length; at += 4) {
    const a = values[from[at] ?? 0] ?? invalid
    const b = values[from[at + 1] ?? 0] ?? invalid
    const c = values[from[at + 2] ?? 0] ?? invalid
    const d = values[from[at + 3] ?? 0] ?? invalid
    if ((a | b | c | d) > 63) break
    to[written] = (a << 2) | (b >> 4)
    to[written + 1] = (b << 4) | (c >> 2)
    to[written + 2] = (c << 6) | d
    written += 3
  }
  return at
}
