import type { Kind } from './fields.ts'
import { nearest } from './near.ts'
import { type Shape, shapeOf } from './shape.ts'

type Choice = string | number

/** `exact`: another spelling of the choice, as `1280x720` is of `720p`. */
type Match = { choice: Choice; exact: boolean }

/** The choice that comes closest to what was asked; `undefined`: nothing in it can be compared. */
export function closestChoice(
  kind: Kind,
  asked: unknown,
  choices: readonly Choice[],
  usual: unknown,
): Match | undefined {
  if (typeof asked === 'number') return closestNumber(kind, asked, choices)
  if (typeof asked !== 'string') return undefined
  const told = aspects[kind]
  return told === undefined ? closestWord(asked, choices) : closestShape(told, asked, choices, usual)
}

/** A duration that is not rendered becomes the next longer one, or the longest. */
function closestNumber(kind: Kind, asked: number, choices: readonly Choice[]): Match | undefined {
  const numbers = choices.filter((choice) => typeof choice === 'number').sort((a, b) => a - b)
  const closest =
    kind === 'seconds'
      ? (numbers.find((choice) => choice >= asked) ?? numbers.at(-1))
      : numbers.toSorted((a, b) => Math.abs(a - asked) - Math.abs(b - asked))[0]
  return closest === undefined ? undefined : { choice: closest, exact: closest === asked }
}

function closestWord(asked: string, choices: readonly Choice[]): Match | undefined {
  const same = choices.find((choice) => withoutMarks(String(choice)) === withoutMarks(asked))
  if (same !== undefined) return { choice: same, exact: true }
  const choice = nearest(asked, choices.map(String))
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
  told: readonly (keyof Shape)[],
  word: string,
  choices: readonly Choice[],
  usual: unknown,
): Match | undefined {
  const asked = shapeOf(word)
  const [best] = choices
    .map((choice) => ({ choice, ...distance(told, asked, shapeOf(String(choice)), choice === usual) }))
    .filter(({ comparable }) => comparable)
    .sort((a, b) => compare(a.keys, b.keys))
  return best === undefined ? undefined : { choice: best.choice, exact: best.exact }
}

/** Sides are rounded to what a codec takes, as in 832x480; other spellings mean exactly what they say. */
const tolerances = { pixels: 0.04, words: 0.01 }

/** `keys`: the first one that differs decides, less is closer. A landscape never becomes a portrait where a choice is left. */
function distance(told: readonly (keyof Shape)[], asked: Shape, choice: Shape, isUsual: boolean) {
  const tolerance = asked.pixels || choice.pixels ? tolerances.pixels : tolerances.words
  const ratio = told.includes('ratio') ? offBy(asked.ratio, choice.ratio) : undefined
  const lines = told.includes('lines') ? offBy(asked.lines, choice.lines) : undefined
  const turned = ratio === undefined ? 0 : Math.abs(orientation(asked) - orientation(choice))
  const alike = told.every((aspect) => (asked[aspect] === undefined) === (choice[aspect] === undefined))
  return {
    comparable: ratio !== undefined || lines !== undefined,
    exact: alike && (ratio ?? 0) <= tolerance && (lines ?? 0) <= tolerance,
    keys: [turned === 2 ? 1 : 0, ratio ?? 1, turned, lines ?? 1, isUsual ? 0 : 1, choice.lines ?? 0],
  }
}

function offBy(asked: number | undefined, choice: number | undefined): number | undefined {
  return asked === undefined || choice === undefined ? undefined : Math.abs(Math.log(asked / choice))
}

function orientation({ ratio = 1 }: Shape): number {
  return Math.abs(Math.log(ratio)) < tolerances.words ? 0 : Math.sign(ratio - 1)
}

const rounding = 1e-6

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((key, index) => Math.abs(key - (b[index] ?? 0)) > rounding)
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
