/** What a word says of a picture, as far as it does. */
export type Shape = {
  /** Width divided by height. */
  ratio?: number
  /** The shorter side, in pixels. */
  lines?: number
  /** From width and height in pixels, which are rounded to what a codec takes. */
  pixels?: true
}

/** Two numbers below this are a ratio (`16x9`), others are pixels (`1280x720`). */
const smallestSide = 100

/** Reads `16:9`, `16/9`, `1.78`, `1280x720`, `landscape_16_9`, `portrait`, `720p`, `720`, `4k`, `Full HD`, and several at once. */
export function shapeOf(word: string): Shape {
  const text = word.trim().toLowerCase()
  const pair = pairIn(text)
  if (pair !== undefined && Math.min(...pair) >= smallestSide) {
    return { ratio: usualRatio(pair[0] / pair[1]), lines: Math.min(...pair), pixels: true }
  }
  const ratio = pair === undefined ? (decimalRatio(text) ?? orientationIn(text)) : pair[0] / pair[1]
  const lines = linesIn(text)
  return { ...(ratio !== undefined && { ratio }), ...(lines !== undefined && { lines }) }
}

function pairIn(text: string): [number, number] | undefined {
  const found = /(?<![\d.])(\d{1,5}(?:\.\d{1,4})?)\s*[:/x×*_]\s*(\d{1,5}(?:\.\d{1,4})?)(?![\d.])/.exec(text)
  const [across, down] = [Number(found?.[1]), Number(found?.[2])]
  return across > 0 && down > 0 ? [across, down] : undefined
}

const usualRatios = [21 / 9, 16 / 9, 3 / 2, 4 / 3, 1, 3 / 4, 2 / 3, 9 / 16, 9 / 21]

/** Sides are rounded to what a codec takes: 832x480 is 16:9. */
function usualRatio(ratio: number): number {
  return usualRatios.find((usual) => Math.abs(Math.log(ratio / usual)) <= 0.04) ?? ratio
}

/** No video is wider or taller than this, so that `720` is no ratio. */
const widest = 5

function decimalRatio(text: string): number | undefined {
  if (!/^\d?\.\d{1,20}$|^\d$/.test(text)) return undefined
  const ratio = Number(text)
  return ratio >= 1 / widest && ratio <= widest ? ratio : undefined
}

const orientations: readonly (readonly [RegExp, number])[] = [
  [/landscape|horizontal|wide/, 16 / 9],
  [/portrait|vertical|tall/, 9 / 16],
  [/square/, 1],
]

function orientationIn(text: string): number | undefined {
  return orientations.find(([pattern]) => pattern.test(text))?.[1]
}

const lineNames: readonly (readonly [RegExp, number])[] = [
  [/\b8k\b/, 4320],
  [/\b4k\b|\buhd\b|ultra[ _-]?hd/, 2160],
  [/\b2k\b|qhd/, 1440],
  [/\b1k\b/, 1024],
  [/\bfhd\b|full[ _-]?hd/, 1080],
  [/\bhd\b/, 720],
  [/\bsd\b/, 480],
]

function linesIn(text: string): number | undefined {
  const told = /(?<![\d.])(\d{3,4})\s*(?:[pi]|lines|$)/.exec(text)?.[1]
  return told === undefined ? lineNames.find(([pattern]) => pattern.test(text))?.[1] : Number(told)
}
