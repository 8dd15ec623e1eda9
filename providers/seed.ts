/** The largest seed that programs send: image tools draw them from 64 bits. */
export const largestSeed = 2n ** 64n - 1n

/** A seed that every upstream with a published range takes. */
export const commonSeeds = { min: 0, max: 2 ** 31 - 1 }

/**
 * The seed within a range that stands for one outside of it. Whoever sends the same seed again gets the same one again, and neighbours
 * stay apart.
 */
export function foldSeed(seed: number | bigint, { min, max }: { min: number; max: number }): number {
  return min + Number(BigInt(seed) % BigInt(max - min + 1))
}
