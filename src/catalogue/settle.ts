import { isDeepStrictEqual } from 'node:util'
import type { Field } from '../../providers/input.ts'
import type { Given } from './fold.ts'
import type { Model, Rule } from './model.ts'
import { type Reading, read, type Value } from './parse.ts'
import { isAmong, judge, type Problem, show } from './rules.ts'

type Settled = { value?: Value; warnings?: readonly string[]; problem?: Problem }

/** The value that a field ends with, from all spellings of it in a request and the model's rule. */
export function settle(model: Model, field: Field, rule: Rule, spellings: readonly Given[]): Settled {
  const [first, ...others] = spellings.filter(
    (one) => !isOperation(field, one) || isAmong(rule.choices, one.value),
  )
  if (first === undefined) return fallback(rule)
  const reading = readGiven(field, first)
  if (rule.fixed !== undefined) return settleFixed(model, rule.fixed, first, reading)
  const warnings = others
    .filter((other) => !isDeepStrictEqual(readGiven(field, other), reading))
    .map((other) => `\`${other.name}\` was ignored: \`${first.name}\` says otherwise`)
  if ('expected' in reading) {
    return { warnings, problem: invalid(first, `must be ${reading.expected}; got ${show(first.value)}`) }
  }
  if (reading.value === undefined) return { ...fallback(rule), warnings }
  const verdict = judge(field, reading.value, rule)
  if ('wrong' in verdict) return { warnings, problem: invalid(first, verdict.wrong, verdict.allowed) }
  const moved = verdict.warning === undefined ? [] : [`\`${first.name}\` ${verdict.warning}`]
  return { value: verdict.value, warnings: [...warnings, ...moved] }
}

/** The value of a field that is not told. */
export function fallback({ fixed, default: usual }: Rule): Settled {
  const value = fixed ?? usual
  return value === undefined ? {} : { value }
}

function settleFixed(model: Model, fixed: string | number, first: Given, reading: Reading): Settled {
  const same = 'value' in reading && (reading.value === undefined || isAmong([fixed], reading.value))
  const ignored = `\`${first.name}\` is always ${fixed} for \`${model.id}\`: ${show(first.value)} was ignored`
  return { value: fixed, warnings: same ? [] : [ignored] }
}

function readGiven(field: Field, given: Given): Reading {
  const reading = read(field, given.value)
  return given.opposite && 'value' in reading ? { value: reading.value !== true } : reading
}

/** Gateways send the kind of operation as `mode`; what a request brings tells it better. */
export function isOperation(field: Field, { value }: Given): boolean {
  return field === 'mode' && /^\w+[-_ ]to[-_ ]video$|^video[-_ ](edit|extend)\w*$/i.test(String(value).trim())
}

function invalid({ name }: Given, wrong: string, allowed?: readonly (string | number)[]): Problem {
  const problem: Problem = { field: name, message: `\`${name}\` ${wrong}`, code: 'invalid_parameter_value' }
  return allowed === undefined ? problem : { ...problem, allowed }
}
