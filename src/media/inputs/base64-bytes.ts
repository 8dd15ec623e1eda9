const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const invalid = 0xff
const valuesByCharacterCode = new Uint8Array(256).fill(invalid)
for (const [value, character] of [...alphabet].entries())
  valuesByCharacterCode[character.charCodeAt(0)] = value

/**
 * Decodes base64 from bytes to bytes, up to the last whole group of four plain characters. Returns how many bytes it read; it wrote three
 * for each four of them. Unlike `Buffer.from` it makes no string, so that a large file leaves no garbage.
 */
export function decodeBase64Groups(source: Uint8Array, target: Uint8Array): number {
  let writtenBytes = 0
  let offset = 0
  for (; offset + 4 <= source.length; offset += 4) {
    const a = valuesByCharacterCode[source[offset] ?? 0] ?? invalid
    const b = valuesByCharacterCode[source[offset + 1] ?? 0] ?? invalid
    const c = valuesByCharacterCode[source[offset + 2] ?? 0] ?? invalid
    const d = valuesByCharacterCode[source[offset + 3] ?? 0] ?? invalid
    if ((a | b | c | d) > 63) break
    target[writtenBytes] = (a << 2) | (b >> 4)
    target[writtenBytes + 1] = (b << 4) | (c >> 2)
    target[writtenBytes + 2] = (c << 6) | d
    writtenBytes += 3
  }
  return offset
}
