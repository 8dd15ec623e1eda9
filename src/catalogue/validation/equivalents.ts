import type { Field } from '../../../providers/input.ts'
import type { Model, Rule } from '../model.ts'
import { matchesChoice } from '../rules.ts'
import type { FieldSpelling } from './normalize.ts'
import { parseShape } from './video-shape.ts'

type FieldSpellings = readonly [FieldSpelling, ...FieldSpelling[]]
type Rules = ReadonlyMap<Field, Rule>

/** Moves a file from a field that the model lacks to one that it has. */
const mediaFallbacks: readonly (readonly [Field, Field])[] = [
  ['image', 'referenceImages'],
  ['image', 'swapImage'],
  ['video', 'targetVideo'],
]

/**
 * Converts between `size`, resolution and ratio, to the fields that the model has: `size` sets resolution and ratio, and a ratio sets `size` if the
 * model has no other field for it. Fields that were given explicitly do not change.
 */
export function moveEquivalentFields(
  model: Model,
  spellings: ReadonlyMap<Field, FieldSpellings>,
  rules: Rules,
): ReadonlyMap<Field, FieldSpellings> {
  const movedSpellings = new Map(spellings)
  const isUnset = (field: Field) => rules.has(field) && !movedSpellings.has(field)
  const move = (from: Field, ...to: readonly Field[]) => {
    const fieldSpellings = movedSpellings.get(from)
    const unsetTargets = to.filter(isUnset)
    if (fieldSpellings === undefined || unsetTargets.length === 0) return
    movedSpellings.delete(from)
    for (const field of unsetTargets) movedSpellings.set(field, fieldSpellings)
  }
  for (const [from, to] of mediaFallbacks) if (model.fields[from] === undefined) move(from, to)
  if (takesRatios(rules.get('size')) && !rules.has('aspect_ratio')) move('aspect_ratio', 'size')
  if (!takesAnySize(rules.get('size')) && !isListedChoice(rules.get('size'), movedSpellings.get('size')))
    move('size', ...fieldsInSize(movedSpellings.get('size'), rules))
  const sizeSpellings = movedSpellings.get('size')
  if (
    sizeSpellings !== undefined &&
    isUnusedRatio(sizeSpellings, rules) &&
    !movedSpellings.has('aspect_ratio')
  ) {
    movedSpellings.delete('size')
    movedSpellings.set('aspect_ratio', sizeSpellings)
  }
  const resolutionSpellings = movedSpellings.get('resolution')
  const isPixelSize =
    resolutionSpellings !== undefined && parseShape(String(resolutionSpellings[0].value)).isPixelSize === true
  if (isPixelSize && isUnset('aspect_ratio')) movedSpellings.set('aspect_ratio', resolutionSpellings)
  return movedSpellings
}

function takesAnySize(rule: Rule | undefined): boolean {
  return rule !== undefined && rule.choices === undefined
}

/** Whether a size may be only a ratio. */
function takesRatios(rule: Rule | undefined): boolean {
  return rule?.choices?.some((choice) => isRatioOnly(String(choice))) ?? false
}

function isRatioOnly(word: string): boolean {
  const { ratio, lines } = parseShape(word)
  return ratio !== undefined && lines === undefined
}

/** A ratio, if the source already determines one: no size matches it. */
function isUnusedRatio([{ value }]: FieldSpellings, rules: Rules): boolean {
  const sizeRule = rules.get('size')
  return sizeRule?.choices !== undefined && !takesRatios(sizeRule) && isRatioOnly(String(value))
}

function isListedChoice(rule: Rule | undefined, sizeSpellings: FieldSpellings | undefined): boolean {
  return rule !== undefined && matchesChoice(rule.choices, sizeSpellings?.[0].value)
}

/** The fields that a size sets. If the model has sizes, only an incomplete size sets others. */
function fieldsInSize(sizeSpellings: FieldSpellings | undefined, rules: Rules): readonly Field[] {
  const { ratio, lines } = parseShape(String(sizeSpellings?.[0].value ?? ''))
  if (rules.has('size') && ratio !== undefined && lines !== undefined) return []
  return [
    ...(ratio === undefined ? [] : (['aspect_ratio'] as const)),
    ...(lines === undefined ? [] : (['resolution'] as const)),
  ]
}
