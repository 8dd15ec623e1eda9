/** The ratio and resolution that a text describes. */
export type VideoShape = {
  /** Width divided by height. */
  ratio?: number
  /** The shorter side, in pixels. */
  lines?: number
  /** Derived from width and height in pixels, which are rounded for the codec. */
  isPixelSize?: true
}

/** Two numbers below this are a ratio (`16x9`); larger ones are pixels (`1280x720`). */
const minPixels = 100

/** Parses `16:9`, `16/9`, `1.78`, `1280x720`, `landscape_16_9`, `portrait`, `720p`, `720`, `4k`, `Full HD`, and combinations. */
export function parseShape(description: string): VideoShape {
  const text = description.trim().toLowerCase()
  const sides = parseSides(text)
  if (sides !== undefined && Math.min(...sides) >= minPixels) {
    return { ratio: snapToStandardRatio(sides[0] / sides[1]), lines: Math.min(...sides), isPixelSize: true }
  }
  const ratio =
    sides === undefined ? (parseDecimalRatio(text) ?? parseOrientation(text)) : sides[0] / sides[1]
  const lines = parseLines(text)
  return { ...(ratio !== undefined && { ratio }), ...(lines !== undefined && { lines }) }
}

function parseSides(text: string): [number, number] | undefined {
  const match = /(?<![\d.])(\d{1,5}(?:\.\d{1,4})?)\s*[:/x×*_]\s*(\d{1,5}(?:\.\d{1,4})?)(?![\d.])/.exec(text)
  const [width, height] = [Number(match?.[1]), Number(match?.[2])]
  return width > 0 && height > 0 ? [width, height] : undefined
}

const standardRatios = [21 / 9, 16 / 9, 3 / 2, 4 / 3, 1, 3 / 4, 2 / 3, 9 / 16, 9 / 21]

/** Pixel sizes are rounded for the codec: 832x480 is 16:9. */
function snapToStandardRatio(ratio: number): number {
  return standardRatios.find((standardRatio) => Math.abs(Math.log(ratio / standardRatio)) <= 0.04) ?? ratio
}

/** No video has a larger ratio than this, so `720` is not a ratio. */
const maxRatio = 5

function parseDecimalRatio(text: string): number | undefined {
  if (!/^\d?\.\d{1,20}$|^\d$/.test(text)) return undefined
  const ratio = Number(text)
  return ratio >= 1 / maxRatio && ratio <= maxRatio ? ratio : undefined
}

const orientationRatios: readonly (readonly [RegExp, number])[] = [
  [/landscape|horizontal|wide/, 16 / 9],
  [/portrait|vertical|tall/, 9 / 16],
  [/square/, 1],
]

function parseOrientation(text: string): number | undefined {
  return orientationRatios.find(([pattern]) => pattern.test(text))?.[1]
}

const resolutionNames: readonly (readonly [RegExp, number])[] = [
  [/\b8k\b/, 4320],
  [/\b4k\b|\buhd\b|ultra[ _-]?hd/, 2160],
  [/\b2k\b|qhd/, 1440],
  [/\b1k\b/, 1024],
  [/\bfhd\b|full[ _-]?hd/, 1080],
  [/\bhd\b/, 720],
  [/\bsd\b/, 480],
]

function parseLines(text: string): number | undefined {
  const digits = /(?<![\d.])(\d{3,4})\s*(?:[pi]|lines|$)/.exec(text)?.[1]
  return digits === undefined ? resolutionNames.find(([pattern]) => pattern.test(text))?.[1] : Number(digits)
}
