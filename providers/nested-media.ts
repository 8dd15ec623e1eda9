import type { Field, Input, Json, MediaKind } from './input.ts'

/** Fields that hold objects or lists of them, in which media may stand. */
export const nestedFields = [
  'storyConfig',
  'characters',
  'scriptConfig',
  'imageConfig',
  'videoConfig',
  'voiceoverConfig',
  'captionsConfig',
  'effectsConfig',
  'musicConfig',
  'motionConfig',
] as const satisfies readonly Field[]

export type NestedField = (typeof nestedFields)[number]

/** What stands at a place inside a nested field: media of a kind in the members of a character that are named so, anything elsewhere. */
type Position = 'story' | 'characters' | 'character' | MediaKind | 'other'

/** `path`: from the field on, `characters[0].image`. `kind`: absent where a member is not named as media. */
type Place = { path: string; kind?: MediaKind }

type Visit = (value: unknown, place: Place) => Json | undefined

const wrappers = /^(image|video|audio)?(data)?url$|^(image|video|audio)$/
const names = /^(?:reference|source|input)?(image|video|audio)s?(?:data)?(?:url)?s?$/

/** A nested field with what `visit` returns in the place of each value; `undefined` leaves a value, and goes on inside of it. */
export function mapNested(field: NestedField, value: unknown, visit: Visit): Json {
  return mapValue(value, { path: field, position: positionOf(field) }, visit)
}

/** The nested fields of an input that are given. */
export function nestedIn(input: Input): [NestedField, Json][] {
  return nestedFields.flatMap((field) => {
    const value = input[field]
    return value === undefined ? [] : [[field, value] as [NestedField, Json]]
  })
}

function mapValue(value: unknown, at: { path: string; position: Position }, visit: Visit): Json {
  const { path, position } = at
  const isKind = position === 'image' || position === 'video' || position === 'audio'
  const visited = visit(value, { path, ...(isKind && { kind: position }) })
  if (visited !== undefined || typeof value !== 'object' || value === null) return visited ?? (value as Json)
  if (Array.isArray(value)) {
    const inside: Position = position === 'characters' ? 'character' : isKind ? position : 'other'
    return value.map((item, index) => mapValue(item, { path: `${path}[${index}]`, position: inside }, visit))
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      mapValue(member, { path: path + step(key), position: memberOf(position, key) }, visit),
    ]),
  )
}

/** No two places have the same path. */
function step(key: string): string {
  return /^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

function positionOf(field: NestedField): Position {
  if (field === 'characters') return 'characters'
  return field === 'storyConfig' ? 'story' : 'other'
}

function memberOf(parent: Position, key: string): Position {
  const plain = key.toLowerCase().replace(/[_-]/g, '')
  if (parent === 'story') return plain === 'characters' ? 'characters' : 'other'
  if (parent === 'character') return (names.exec(plain)?.[1] as MediaKind | undefined) ?? 'other'
  if (parent === 'image' || parent === 'video' || parent === 'audio')
    return wrappers.test(plain) ? parent : 'other'
  return 'other'
}
