import { randomFillSync } from 'node:crypto'

const idBytes = 16
/** Random bytes for many IDs are generated in one call, because the call is expensive. */
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
