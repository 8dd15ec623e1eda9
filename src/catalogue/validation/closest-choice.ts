import { findNearestWord } from '../../text/nearest-word.ts'
import type { FieldKind } from '../fields.ts'
import { parseShape, type VideoShape } from './video-shape.ts'

type Choice = string | number

/** `exact`: another spelling of the choice, as `1280x720` is of `720p`. */
type ChoiceMatch = { choice: Choice; isExact: boolean }

/** The choice that is closest to the requested value; `undefined`: they cannot be compared. */
export function closestChoice(
  kind: FieldKind,
  requested: unknown,
  choices: readonly Choice[],
  defaultChoice: unknown,
): ChoiceMatch | undefined {
  if (typeof requested === 'number') return closestNumber(kind, requested, choices)
  if (typeof requested !== 'string') return undefined
  const comparedAspects = aspects[kind]
  return comparedAspects === undefined
    ? closestText(requested, choices)
    : closestShape(comparedAspects, requested, choices, defaultChoice)
}

/** An unsupported duration becomes the next longer one, or the longest. */
function closestNumber(
  kind: FieldKind,
  requested: number,
  choices: readonly Choice[],
): ChoiceMatch | undefined {
  const numbers = choices.filter((choice) => typeof choice === 'number').sort((left, right) => left - right)
  const closest =
    kind === 'seconds'
      ? (numbers.find((choice) => choice >= requested) ?? numbers.at(-1))
      : numbers.toSorted((left, right) => Math.abs(left - requested) - Math.abs(right - requested))[0]
  return closest === undefined ? undefined : { choice: closest, isExact: closest === requested }
}

function closestText(requested: string, choices: readonly Choice[]): ChoiceMatch | undefined {
  const exactMatch = choices.find((choice) => stripSeparators(String(choice)) === stripSeparators(requested))
  if (exactMatch !== undefined) return { choice: exactMatch, isExact: true }
  const choice = findNearestWord(requested, choices.map(String))
  return choice === undefined ? undefined : { choice, isExact: false }
}

function stripSeparators(word: string): string {
  return word.toLowerCase().replace(/[\s_-]+/g, '')
}

/** The properties that are compared for this kind of field. */
const aspects: Partial<Record<FieldKind, readonly (keyof VideoShape)[]>> = {
  ratio: ['ratio'],
  resolution: ['lines'],
  size: ['ratio', 'lines'],
}

function closestShape(
  comparedAspects: readonly (keyof VideoShape)[],
  word: string,
  choices: readonly Choice[],
  defaultChoice: unknown,
): ChoiceMatch | undefined {
  const requestedShape = parseShape(word)
  const [bestMatch] = choices
    .map((choice) => ({
      choice,
      ...compareShapes(comparedAspects, requestedShape, parseShape(String(choice)), choice === defaultChoice),
    }))
    .filter(({ isComparable }) => isComparable)
    .sort((left, right) => compareKeys(left.sortKeys, right.sortKeys))
  return bestMatch === undefined ? undefined : { choice: bestMatch.choice, isExact: bestMatch.isExact }
}

/** Pixel sizes are rounded for the codec (832x480); other spellings are exact. */
const logTolerances = { pixels: 0.04, names: 0.01 }

/** `keys`: compared in order, less is closer. Landscape becomes portrait only if there is no other choice. */
function compareShapes(
  comparedAspects: readonly (keyof VideoShape)[],
  requestedShape: VideoShape,
  choiceShape: VideoShape,
  isDefault: boolean,
) {
  const maxLogDistance =
    requestedShape.isPixelSize || choiceShape.isPixelSize ? logTolerances.pixels : logTolerances.names
  const ratioDistance = comparedAspects.includes('ratio')
    ? logDistance(requestedShape.ratio, choiceShape.ratio)
    : undefined
  const linesDistance = comparedAspects.includes('lines')
    ? logDistance(requestedShape.lines, choiceShape.lines)
    : undefined
  const orientationDistance =
    ratioDistance === undefined ? 0 : Math.abs(orientationOf(requestedShape) - orientationOf(choiceShape))
  const hasSameAspects = comparedAspects.every(
    (aspect) => (requestedShape[aspect] === undefined) === (choiceShape[aspect] === undefined),
  )
  return {
    isComparable: ratioDistance !== undefined || linesDistance !== undefined,
    isExact:
      hasSameAspects && (ratioDistance ?? 0) <= maxLogDistance && (linesDistance ?? 0) <= maxLogDistance,
    sortKeys: [
      orientationDistance === 2 ? 1 : 0,
      ratioDistance ?? 1,
      orientationDistance,
      linesDistance ?? 1,
      isDefault ? 0 : 1,
      choiceShape.lines ?? 0,
    ],
  }
}

function logDistance(requested: number | undefined, choice: number | undefined): number | undefined {
  return requested === undefined || choice === undefined ? undefined : Math.abs(Math.log(requested / choice))
}

function orientationOf({ ratio = 1 }: VideoShape): number {
  return Math.abs(Math.log(ratio)) < logTolerances.names ? 0 : Math.sign(ratio - 1)
}

const epsilon = 1e-6

function compareKeys(left: readonly number[], right: readonly number[]): number {
  const firstDifference = left.findIndex((key, index) => Math.abs(key - (right[index] ?? 0)) > epsilon)
  return firstDifference === -1 ? 0 : (left[firstDifference] ?? 0) - (right[firstDifference] ?? 0)
}
