import { randomFillSync } from 'node:crypto'

const idBytes = 16
/** Drawn many at once: a call to the generator costs more than its bytes. */
const drawn = Buffer.allocUnsafeSlow(256 * idBytes)
let used = drawn.length

/** 128 random bits as 32 hex digits. */
export function randomId(): string {
  if (used === drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  used += idBytes
  return drawn.toString('hex', used - idBytes, used)
}
