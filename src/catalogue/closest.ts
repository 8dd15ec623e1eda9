import type { Kind } from './fields.ts'
import { nearest } from './near.ts'
import { type Shape, shapeOf } from './shape.ts'

type Choice = string | number

/** `exact`: another spelling of the choice, as `1280x720` is of `720p`. */
type Match = { choice: Choice; exact: boolean }

/** The choice that comes closest to what was requested; `undefined`: nothing in it can be compared. */
export function closestChoice(
  kind: Kind,
  requested: unknown,
  choices: readonly Choice[],
  usual: unknown,
): Match | undefined {
  if (typeof requested === 'number') return closestNumber(kind, requested, choices)
  if (typeof requested !== 'string') return undefined
  const compared = aspects[kind]
  return compared === undefined
    ? closestWord(requested, choices)
    : closestShape(compared, requested, choices, usual)
}

/** A duration that is not rendered becomes the next longer one, or the longest. */
function closestNumber(kind: Kind, requested: number, choices: readonly Choice[]): Match | undefined {
  const numbers = choices.filter((choice) => typeof choice === 'number').sort((a, b) => a - b)
  const closest =
    kind === 'seconds'
      ? (numbers.find((choice) => choice >= requested) ?? numbers.at(-1))
      : numbers.toSorted((a, b) => Math.abs(a - requested) - Math.abs(b - requested))[0]
  return closest === undefined ? undefined : { choice: closest, exact: closest === requested }
}

function closestWord(requested: string, choices: readonly Choice[]): Match | undefined {
  const same = choices.find((choice) => withoutMarks(String(choice)) === withoutMarks(requested))
  if (same !== undefined) return { choice: same, exact: true }
  const choice = nearest(requested, choices.map(String))
  return choice === undefined ? undefined : { choice, exact: false }
}

function withoutMarks(word: string): string {
  return word.toLowerCase().replace(/[\s_-]+/g, '')
}

/** What counts in a field of this kind. */
const aspects: Partial<Record<Kind, readonly (keyof Shape)[]>> = {
  ratio: ['ratio'],
  resolution: ['lines'],
  size: ['ratio', 'lines'],
}

function closestShape(
  compared: readonly (keyof Shape)[],
  word: string,
  choices: readonly Choice[],
  usual: unknown,
): Match | undefined {
  const requested = shapeOf(word)
  const [best] = choices
    .map((choice) => ({
      choice,
      ...distance(compared, requested, shapeOf(String(choice)), choice === usual),
    }))
    .filter(({ comparable }) => comparable)
    .sort((a, b) => compare(a.keys, b.keys))
  return best === undefined ? undefined : { choice: best.choice, exact: best.exact }
}

/** Sides are rounded to what a codec takes, as in 832x480; other spellings mean exactly what they say. */
const tolerances = { pixels: 0.04, words: 0.01 }

/** `keys`: the first one that differs decides, less is closer. A landscape never becomes a portrait where a choice is left. */
function distance(compared: readonly (keyof Shape)[], requested: Shape, choice: Shape, isUsual: boolean) {
  const tolerance = requested.pixels || choice.pixels ? tolerances.pixels : tolerances.words
  const ratio = compared.includes('ratio') ? offBy(requested.ratio, choice.ratio) : undefined
  const lines = compared.includes('lines') ? offBy(requested.lines, choice.lines) : undefined
  const turned = ratio === undefined ? 0 : Math.abs(orientation(requested) - orientation(choice))
  const alike = compared.every(
    (aspect) => (requested[aspect] === undefined) === (choice[aspect] === undefined),
  )
  return {
    comparable: ratio !== undefined || lines !== undefined,
    exact: alike && (ratio ?? 0) <= tolerance && (lines ?? 0) <= tolerance,
    keys: [turned === 2 ? 1 : 0, ratio ?? 1, turned, lines ?? 1, isUsual ? 0 : 1, choice.lines ?? 0],
  }
}

function offBy(requested: number | undefined, choice: number | undefined): number | undefined {
  return requested === undefined || choice === undefined ? undefined : Math.abs(Math.log(requested / choice))
}

function orientation({ ratio = 1 }: Shape): number {
  return Math.abs(Math.log(ratio)) < tolerances.words ? 0 : Math.sign(ratio - 1)
}

const rounding = 1e-6

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((key, index) => Math.abs(key - (b[index] ?? 0)) > rounding)
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
