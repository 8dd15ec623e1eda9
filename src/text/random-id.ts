import { randomFillSync } from 'node:crypto'

const idBytes = 16
/** Drawn many at once: a call to the generator costs more than its bytes. */
const randomPool = Buffer.allocUnsafeSlow(256 * idBytes)
let poolOffset = randomPool.length

/** 128 random bits as 32 hex digits. */
export function createRandomId(): string {
  if (poolOffset === randomPool.length) {
    randomFillSync(randomPool)
    poolOffset = 0
  }
  poolOffset += idBytes
  return randomPool.toString('hex', poolOffset - idBytes, poolOffset)
}
