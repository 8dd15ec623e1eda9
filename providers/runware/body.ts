import type { JsonObject } from '../input.ts'

/** Width and height of a ratio whose shorter side has this many pixels. */
export function pixels(ratio: string, shorter: number): { width: number; height: number } {
  const [across = 1, down = 1] = ratio.split(':').map(Number)
  const unit = shorter / Math.min(across, down)
  return { width: across * unit, height: down * unit }
}

/** Width and height of a size: pixels as they stand, a ratio with the shorter side given. */
export function pixelsOf(size: string, shorter: number): { width: number; height: number } {
  const [width = 0, height = 0] = size.split('x').map(Number)
  return size.includes('x') ? { width, height } : pixels(size, shorter)
}

/** Runware refuses what it does not know and what is empty: only what is told is sent. */
export function told(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** `providerSettings` of the model's creator; none where nothing is told. */
export function settings(creator: string, values: JsonObject): JsonObject {
  const given = told(values)
  return Object.keys(given).length === 0 ? {} : { providerSettings: { [creator]: given } }
}
