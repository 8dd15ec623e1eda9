import type { Field } from '../../providers/input.ts'
import type { Given } from './fold.ts'
import type { Model, Rule } from './model.ts'
import { isAmong } from './rules.ts'
import { shapeOf } from './shape.ts'

type Spellings = readonly [Given, ...Given[]]
type Rules = ReadonlyMap<Field, Rule>

/** A file for which the model has no field goes to the one that it has. */
const files: readonly (readonly [Field, Field])[] = [
  ['image', 'referenceImages'],
  ['image', 'swapImage'],
  ['video', 'targetVideo'],
]

/**
 * What a request says of a video, under the fields by which the model takes it: `size` tells resolution and ratio, and a ratio is a
 * size where the model has no other field for it. What is given outright stays.
 */
export function moveEquivalents(
  model: Model,
  given: ReadonlyMap<Field, Spellings>,
  rules: Rules,
): ReadonlyMap<Field, Spellings> {
  const moved = new Map(given)
  const isFree = (field: Field) => rules.has(field) && !moved.has(field)
  const move = (from: Field, ...to: readonly Field[]) => {
    const told = moved.get(from)
    const free = to.filter(isFree)
    if (told === undefined || free.length === 0) return
    moved.delete(from)
    for (const field of free) moved.set(field, told)
  }
  for (const [from, to] of files) if (model.fields[from] === undefined) move(from, to)
  if (takesRatios(rules.get('size')) && !rules.has('aspect_ratio')) move('aspect_ratio', 'size')
  if (!takesAny(rules.get('size')) && !isChoice(rules.get('size'), moved.get('size')))
    move('size', ...toldBy(moved.get('size'), rules))
  const size = moved.get('size')
  if (size !== undefined && isUnusedRatio(size, rules) && !moved.has('aspect_ratio')) {
    moved.delete('size')
    moved.set('aspect_ratio', size)
  }
  const resolution = moved.get('resolution')
  const isPixels = resolution !== undefined && shapeOf(String(resolution[0].value)).pixels === true
  if (isPixels && isFree('aspect_ratio')) moved.set('aspect_ratio', resolution)
  return moved
}

function takesAny(rule: Rule | undefined): boolean {
  return rule !== undefined && rule.choices === undefined
}

/** Whether a size may be a ratio alone. */
function takesRatios(rule: Rule | undefined): boolean {
  return rule?.choices?.some((choice) => isRatio(String(choice))) ?? false
}

function isRatio(word: string): boolean {
  const { ratio, lines } = shapeOf(word)
  return ratio !== undefined && lines === undefined
}

/** A ratio where the source has one already: no size comes near to it. */
function isUnusedRatio([{ value }]: Spellings, rules: Rules): boolean {
  const size = rules.get('size')
  return size?.choices !== undefined && !takesRatios(size) && isRatio(String(value))
}

function isChoice(rule: Rule | undefined, told: Spellings | undefined): boolean {
  return rule !== undefined && isAmong(rule.choices, told?.[0].value)
}

/** Which fields a size stands for; where the model takes sizes, only one that is no whole size. */
function toldBy(told: Spellings | undefined, rules: Rules): readonly Field[] {
  const { ratio, lines } = shapeOf(String(told?.[0].value ?? ''))
  if (rules.has('size') && ratio !== undefined && lines !== undefined) return []
  return [
    ...(ratio === undefined ? [] : (['aspect_ratio'] as const)),
    ...(lines === undefined ? [] : (['resolution'] as const)),
  ]
}
