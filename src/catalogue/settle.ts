import { isDeepStrictEqual } from 'node:util'
import type { Field } from '../../providers/input.ts'
import { fields, type Kind } from './fields.ts'
import type { Given } from './fold.ts'
import type { Rule } from './model.ts'
import { type Reading, read, type Value } from './parse.ts'
import { isAmong, judge, type Problem, show, type Verdict } from './rules.ts'

export type Settled =
  | { value?: Value; warnings?: readonly string[]; problem?: undefined }
  /** `substitute`: what is rendered where the caller does not want the problem instead. */
  | { given: Given; warnings: readonly string[]; problem: Problem; substitute?: { value?: Value } }

/** The value that a field ends with, from all spellings of it in a request and the model's rule. */
export function settle(field: Field, rule: Rule, spellings: readonly Given[]): Settled {
  const [first, ...others] = spellings.filter(
    (one) => !isOperation(field, one) || isAmong(rule.choices, one.value),
  )
  if (first === undefined) return fallback(rule)
  const reading = readGiven(field, first)
  const warnings = others
    .filter((other) => !isDeepStrictEqual(readGiven(field, other), reading))
    .map((other) => `\`${other.name}\` was ignored: \`${first.name}\` says otherwise`)
  const verdict =
    rule.fixed === undefined
      ? verdictOf(field, rule, first, reading)
      : fixedVerdict(rule.fixed, first, reading)
  if (verdict === undefined) return { ...fallback(rule), warnings }
  if ('value' in verdict) return { value: verdict.value, warnings }
  const { closest, final, wrong, allowed } = verdict
  const substitute = closest === undefined ? fallback(rule) : { value: closest }
  const isLost = rule.required !== undefined && substitute.value === undefined
  return {
    given: first,
    warnings,
    problem: invalid(first, wrong, allowed),
    ...(!final && !isLost && { substitute }),
  }
}

/** Texts, files and stories are what a video is made of: nothing stands in for one that cannot be read. */
const content: ReadonlySet<Kind> = new Set(['text', 'media', 'mediaList', 'object', 'list'])

function verdictOf(field: Field, rule: Rule, { value: told }: Given, reading: Reading): Verdict | undefined {
  if (!('expected' in reading))
    return reading.value === undefined ? undefined : judge(field, reading.value, rule)
  const wrong = `must be ${reading.expected}; got ${show(told)}`
  if (reading.closest === undefined) return isIrreplaceable(field, told) ? { wrong, final: true } : { wrong }
  const verdict = judge(field, reading.closest, rule)
  return 'value' in verdict ? { wrong, closest: verdict.value } : { ...verdict, wrong }
}

/** So is a seed, unless it is no number at all. */
function isIrreplaceable(field: Field, told: unknown): boolean {
  const { kind } = fields[field]
  return content.has(kind) || (kind === 'seed' && !Number.isNaN(Number(told)))
}

function fixedVerdict(fixed: string | number, { value: told }: Given, reading: Reading): Verdict {
  const same = 'value' in reading && (reading.value === undefined || isAmong([fixed], reading.value))
  return same ? { value: fixed } : { wrong: `must be ${fixed}; got ${show(told)}`, closest: fixed }
}

/** The value of a field that is not told. */
export function fallback({ fixed, default: usual }: Rule): { value?: Value } {
  const value = fixed ?? usual
  return value === undefined ? {} : { value }
}

function readGiven(field: Field, given: Given): Reading {
  const reading = read(field, given.value)
  return given.opposite && 'value' in reading ? { value: reading.value !== true } : reading
}

/** Gateways send the kind of operation as `mode`; what a request brings tells it better. */
export function isOperation(field: Field, { value }: Given): boolean {
  return (
    field === 'mode' &&
    /^\w+[-_ ]to[-_ ]video$|^video[-_ ](edit|extend)\w*$|^auto$/i.test(String(value).trim())
  )
}

function invalid({ name }: Given, wrong: string, allowed?: readonly (string | number)[]): Problem {
  const problem: Problem = { field: name, message: `\`${name}\` ${wrong}`, code: 'invalid_parameter_value' }
  return allowed === undefined ? problem : { ...problem, allowed }
}
