import { isDeepStrictEqual } from 'node:util'
import type { Field } from '../../../providers/input.ts'
import { impliedOperation } from '../../../providers/operation.ts'
import { type FieldKind, fields } from '../fields.ts'
import type { Mode, Model, Rule } from '../model.ts'
import { checkValue, matchesChoice, type Problem, quoteValue, type ValueCheck } from '../rules.ts'
import type { FieldSpelling } from './normalize.ts'
import { type FieldValue, type ParseResult, parseValue } from './parse-value.ts'

export type ResolvedField =
  | { value?: FieldValue; warnings?: readonly string[]; problem?: undefined }
  /** `substitute`: the value that is rendered if validation is lenient. */
  | {
      spelling: FieldSpelling
      warnings: readonly string[]
      problem: Problem
      substitute?: { value?: FieldValue }
    }

/** The value of a field, from all its spellings in a request and the model's rule. */
export function resolveField(field: Field, rule: Rule, spellings: readonly FieldSpelling[]): ResolvedField {
  const [bestSpelling, ...otherSpellings] = spellings.filter(
    (spelling) => !isOperationMode(field, spelling) || matchesChoice(rule.choices, spelling.value),
  )
  if (bestSpelling === undefined) return defaultValueOf(rule)
  const parsed = parseSpelling(field, bestSpelling)
  const warnings = otherSpellings
    .filter((spelling) => !isDeepStrictEqual(parseSpelling(field, spelling), parsed))
    .map((spelling) => `\`${spelling.name}\` was ignored: \`${bestSpelling.name}\` says otherwise`)
  const check =
    rule.fixed === undefined
      ? checkParsed(field, rule, bestSpelling, parsed)
      : checkFixed(rule.fixed, bestSpelling, parsed)
  if (check === undefined) return { ...defaultValueOf(rule), warnings }
  if ('value' in check) return { value: check.value, warnings }
  const { closest, isFinal, problem, allowed: allowedValues } = check
  const substitute = closest === undefined ? defaultValueOf(rule) : { value: closest }
  const hasNoFallback = rule.required !== undefined && substitute.value === undefined
  return {
    spelling: bestSpelling,
    warnings,
    problem: createProblem(bestSpelling, problem, allowedValues),
    ...(!isFinal && !hasNoFallback && { substitute }),
  }
}

/** Texts, files and stories determine the content of a video: an invalid one is never replaced. */
const contentKinds: ReadonlySet<FieldKind> = new Set(['text', 'media', 'mediaList', 'object', 'list'])

function checkParsed(
  field: Field,
  rule: Rule,
  { value: sentValue }: FieldSpelling,
  parsed: ParseResult,
): ValueCheck | undefined {
  if (!('expected' in parsed))
    return parsed.value === undefined ? undefined : checkValue(field, parsed.value, rule)
  const problem = `must be ${parsed.expected}; got ${quoteValue(sentValue)}`
  if (parsed.closest === undefined)
    return isIrreplaceable(field, sentValue) ? { problem, isFinal: true } : { problem }
  const check = checkValue(field, parsed.closest, rule)
  return 'value' in check ? { problem, closest: check.value } : { ...check, problem }
}

/** A seed is not replaced either, unless it is not a number. */
function isIrreplaceable(field: Field, sentValue: unknown): boolean {
  const { kind } = fields[field]
  return contentKinds.has(kind) || (kind === 'seed' && !Number.isNaN(Number(sentValue)))
}

function checkFixed(
  fixed: string | number,
  { value: sentValue }: FieldSpelling,
  parsed: ParseResult,
): ValueCheck {
  const matchesFixed =
    'value' in parsed && (parsed.value === undefined || matchesChoice([fixed], parsed.value))
  return matchesFixed
    ? { value: fixed }
    : { problem: `must be ${fixed}; got ${quoteValue(sentValue)}`, closest: fixed }
}

/** The value of a field that was not given. */
export function defaultValueOf({ fixed, default: defaultValue }: Rule): { value?: FieldValue } {
  const value = fixed ?? defaultValue
  return value === undefined ? {} : { value }
}

function parseSpelling(field: Field, spelling: FieldSpelling): ParseResult {
  const parsed = parseValue(field, spelling.value)
  return spelling.isOpposite && 'value' in parsed ? { value: parsed.value !== true } : parsed
}

/** The operation that a request names as `mode`, if the model has it and the request has its source. */
export function findNamedOperation(
  model: Model,
  spellings: ReadonlyMap<Field, readonly FieldSpelling[]>,
): Mode | undefined {
  const named = spellings.get('mode')?.find((spelling) => isOperationMode('mode', spelling))
  const word = String(named?.value ?? '').trim()
  const candidates = operationPatterns.find(([pattern]) => pattern.test(word))?.[1] ?? []
  const hasSource = (operation: Mode) =>
    impliedOperation([operation, 'text'], (field) => spellings.has(field)) === operation
  return candidates.find((operation) => model.modes.includes(operation) && hasSource(operation))
}

/** `auto`, and what clients and upstreams call the operations. */
const operationPatterns: readonly (readonly [RegExp, readonly Mode[]])[] = [
  [/^auto$/i, []],
  [/^(image|start[-_ ]end)[-_ ]to[-_ ]video$/i, ['image']],
  [/^ref(erence)?s?[-_ ]to[-_ ]video$/i, ['reference']],
  [/^video[-_ ]edit\w*$/i, ['edit', 'video']],
  [/^video[-_ ]exten\w*$/i, ['extend', 'video']],
  [/^video[-_ ]to[-_ ]video$/i, ['video', 'edit']],
  [/^\w+[-_ ]to[-_ ]video$/i, []],
]

/** Whether a field names an operation, which selects one only among those that the inputs allow. */
export function isOperationMode(field: Field, { value }: FieldSpelling): boolean {
  return field === 'mode' && operationPatterns.some(([pattern]) => pattern.test(String(value).trim()))
}

function createProblem(
  { name }: FieldSpelling,
  message: string,
  allowed?: readonly (string | number)[],
): Problem {
  const problem: Problem = { field: name, message: `\`${name}\` ${message}`, code: 'invalid_parameter_value' }
  return allowed === undefined ? problem : { ...problem, allowed }
}
