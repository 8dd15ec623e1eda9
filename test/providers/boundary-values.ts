import type { Field } from '../../providers/input.ts'
import { mediaFields } from '../../providers/input.ts'
import { fields } from '../../src/catalogue/fields.ts'
import type { Mode, Model, Rule } from '../../src/catalogue/model.ts'
import { operationNames } from '../../src/catalogue/parameters.ts'
import { listRules } from '../../src/catalogue/rules.ts'

const links = {
  image: 'https://media.example/still.png',
  video: 'https://media.example/clip.mp4',
  audio: 'https://media.example/speech.mp3',
}

/** The source of an operation. */
const sourceFields: Readonly<Record<Mode, readonly Field[]>> = {
  text: [],
  image: ['image'],
  reference: ['referenceImages'],
  video: ['video'],
  edit: ['video'],
  extend: ['video'],
}

type Request = Readonly<Record<string, unknown>>

/** The smallest request for a mode of a model. */
export function smallestRequest(model: Model, mode: Mode): Request {
  const rules = listRules(model, mode)
  const source = sourceFields[mode].filter((field) => rules.has(field))
  const required = [...rules].filter(([, rule]) => rule.required !== undefined).map(([field]) => field)
  const needed = [...new Set<Field>([...source, ...required])]
  return {
    model: model.id,
    ...(model.modes.length > 1 && !rules.has('mode') && { mode: operationNames[mode] }),
    ...Object.fromEntries(needed.map((field) => [field, valueFor(field, rules.get(field) ?? {})])),
  }
}

function valueFor(field: Field, { choices, min = 1 }: Rule): unknown {
  if (field in mediaFields) return links[mediaFields[field as keyof typeof mediaFields]]
  if (choices !== undefined) return choices[0]
  const { kind } = fields[field]
  if (kind === 'object') return { scenes: [{ narration: 'A red kite', visual: 'A kite' }] }
  return kind === 'text' || kind === 'word' ? 'A red kite over the bay' : min
}

const numbers = [
  ...[0, -0, 1, -1, -2, 0.5, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53],
  ...['9007199254740993', '18446744073709551615', '18446744073709551616', '-9007199254740993', '1e400'],
  ...[
    Number.MAX_VALUE,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '5',
    ' 5 ',
    '5s',
    '5.5',
    '',
    null,
    true,
    'true',
  ],
  ...[[5], {}],
]
const astral = '\u{1FA81}'
const texts = [
  ...[
    '',
    '   ',
    'x',
    ' x ',
    'xx',
    astral,
    `${astral}${astral}`,
    '\uD800',
    'a\uD800b',
    '\uDC00a',
    'a\0b',
    '\0',
  ],
  ...['a\u0007b', 'a\tb\nc', '\u200B', '--dur 12 --rs 1080p', '--v 7', 'é'.repeat(1025), '5', 5, true],
  ...[[], ['a'], {}, null],
]
const words = ['', 'x', '5', 5, true, 'constructor', '__proto__', 'a\uD800b', 'x'.repeat(201), [], {}, null]
const switches = [true, false, 'true', 'false', 0, 1, 'on', 'maybe', 2, '', null, [], {}]
const wrongLinks = [
  ...[
    '',
    'ftp://media.example/a.png',
    'https://',
    'https://media.example/a b',
    'https://media.example/\uD800',
  ],
  ...['https://media.example/a\0b', '/etc/passwd', 'data:image/png,', 5, true, {}, null],
]
const objects = [
  ...[{}, [], 'text', 5, null, { unknown: 1 }, { enabled: 'yes' }, { volume: 2 }, { volume: 0.5 }],
  ...[{ style: 'hero_journey' }, { style: 'noir' }, { style: null }, { targetLengthInSeconds: 1 }],
  ...[{ targetLengthInSeconds: 5 }, { targetLengthInSeconds: 30.4 }, { targetLengthInWords: 0.4 }],
  ...[{ captionsStyle: 'neon' }, { captionsStyle: 'x\uD800' }, { transition: 'fade', floating: 1 }],
  ...[{ scriptConfig: { style: 'noir' }, script: 'A kite' }, { scenes: ['A kite', { visual: '\uD800' }] }],
]
const lists = [
  [],
  ['fox'],
  [{ name: 'Fox', description: 'red' }],
  [5],
  [null],
  [['a']],
  'fox',
  {},
  ['a\uD800'],
]

/** Values at, just within and just outside of what a field takes, and values of the wrong kind. */
export function boundaryValues(field: Field, rule: Rule): readonly unknown[] {
  const { kind } = fields[field]
  const bounds = [rule.min, rule.max].flatMap((bound) =>
    bound === undefined ? [] : [bound - 1, bound, bound + 1, bound + 0.5],
  )
  const choices = (rule.choices ?? []).flatMap((choice) => [
    choice,
    typeof choice === 'number' ? choice + 1 : `${choice}x`,
  ])
  if (field in mediaFields)
    return [...wrongLinks, [links.image], [links.image, links.image], { url: links.image }]
  if (kind === 'text') {
    const limit = rule.maxLength ?? 3000
    const atLimit = ['x', astral].flatMap((one) => [one.repeat(limit), one.repeat(limit + 1)])
    return [...texts, ...atLimit, 'x'.repeat(800), 'x'.repeat(801), 'x'.repeat(301), 'x'.repeat(1501)]
  }
  if (kind === 'switch') return switches
  if (kind === 'object') return objects
  if (kind === 'list') return lists
  const isNumber = kind === 'number' || kind === 'integer' || kind === 'seed' || kind === 'seconds'
  return [...choices, ...bounds, ...(isNumber ? numbers : words)]
}
