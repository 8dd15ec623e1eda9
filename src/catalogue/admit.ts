import { type Field, type Input, mediaFields } from '../../providers/input.ts'
import { type Adjusted, alignWithSize, describeAdjusted, resolveConflicts } from './adjust.ts'
import { cleanTexts } from './clean-text.ts'
import { moveEquivalents } from './equivalents.ts'
import { fields, plainName } from './fields.ts'
import { fold, type Given } from './fold.ts'
import { findModel, models } from './index.ts'
import type { Mode, Model, Rule } from './model.ts'
import { nearest } from './near.ts'
import { isEmpty, type Value } from './parse.ts'
import { modeOf, type Problem, rulesOf, show } from './rules.ts'
import { fallback, isOperation, type Settled, settle } from './settle.ts'

export type { Problem } from './rules.ts'

export type Admitted = {
  ok: true
  model: Model
  input: Input
  warnings: readonly string[]
  handling: 'lenient' | 'strict'
  conversationUUID?: string
}
export type Refused = { ok: false; problems: readonly [Problem, ...Problem[]] }

type Body = Readonly<Record<string, unknown>>

export type Validation = {
  /** What becomes of a value that the model does not render: the closest one that it does, with a warning, or a problem. */
  handling?: 'lenient' | 'strict'
  /** The longest text for a model that has no limit of its own, in Unicode code points. */
  promptMaxCharacters?: number
}

/** Reads a request body: which model, and what it is asked for in canonical names and types; or all that is wrong with it. */
export function admit(body: Body, validation?: Validation): Admitted | Refused {
  const id = textUnder(body, 'model') ?? textUnder(body, 'modelSlug')
  const code = 'missing_required_parameter'
  if (id === undefined) return refuse({ field: 'model', message: '`model` is required', code })
  const model = findModel(id)
  return model === undefined ? refuse(unknownModel(id)) : admitTo(model, body, validation)
}

/** The same for a model that is already known. */
export function admitTo(model: Model, request: Body, validation: Validation = {}): Admitted | Refused {
  const { handling = 'lenient', promptMaxCharacters } = validation
  const isStrict = handling === 'strict'
  const { body, changed } = cleanTexts(request)
  const folded = fold(body)
  const mode = modeOf(model, (field) => folded.given.has(field))
  const rules = rulesOf(model, mode)
  const given = moveEquivalents(model, folded.given, rules)
  const said = [...folded.warnings]
  const problems: Problem[] = []
  for (const name of changed) {
    const message = `\`${name}\` has characters that are no text (NUL, or half of a surrogate pair)`
    if (isStrict) problems.push(invalid(name, message))
    else said.push(`${message}: they were removed`)
  }
  const values: Partial<Record<Field, Value>> = {}
  const adjusted = new Map<Field, Adjusted>()
  const ignored = [...given].filter(([field]) => !rules.has(field))
  for (const [field, spelling] of ignored.flatMap(([field, all]) =>
    all.map((one) => [field, one] as const),
  )) {
    if (isOperation(field, spelling)) continue
    const message = unused(model, field, mode, spelling)
    if (isStrict && field in mediaFields) problems.push(invalid(spelling.name, message))
    else said.push(`${message} and was ignored`)
  }
  for (const [field, rule] of rules) {
    const told = given.get(field)
    const settled: Settled =
      told === undefined ? fallback(rule) : settle(field, limited(field, rule, promptMaxCharacters), told)
    if (settled.warnings !== undefined) said.push(...settled.warnings)
    if (settled.problem === undefined) {
      if (settled.value !== undefined) values[field] = settled.value
      else if (isNeeded(rule, given)) problems.push(missing(model, field, rule))
    } else if (isStrict || settled.substitute === undefined) problems.push(settled.problem)
    else {
      if (settled.substitute.value !== undefined) values[field] = settled.substitute.value
      adjusted.set(field, { name: settled.given.name, asked: settled.given.value })
    }
  }
  for (const [field, overruled] of alignWithSize(values, rules, given)) {
    if (isStrict) problems.push(invalid(overruled.name, overruled.reason))
    else if (!adjusted.has(field)) adjusted.set(field, overruled)
  }
  const [problem, ...others] = problems
  if (problem !== undefined) return refuse(problem, ...others)
  const wrong = isStrict ? model.check?.(values as Input) : resolveConflicts(model, values, adjusted, given)
  if (wrong !== undefined) {
    const field = given.get(wrong.field)?.[0].name ?? wrong.field
    return refuse({ field, message: wrong.message, code: wrong.code ?? 'invalid_parameter_value' })
  }
  const conversationUUID = textUnder(body, 'conversationUUID')
  return {
    ok: true,
    model,
    input: values as Input,
    warnings: [...said, ...describeAdjusted(model, values, adjusted)],
    handling,
    ...(conversationUUID !== undefined && { conversationUUID }),
  }
}

/** A text for which the model has no limit has ours. */
function limited(field: Field, rule: Rule, promptMaxCharacters: number | undefined): Rule {
  if (promptMaxCharacters === undefined || fields[field].kind !== 'text' || rule.maxLength !== undefined)
    return rule
  return { ...rule, maxLength: promptMaxCharacters }
}

function isNeeded({ required }: Rule, given: ReadonlyMap<Field, unknown>): boolean {
  if (required === undefined) return false
  return required === true || !required.unless.some((field) => given.has(field))
}

function missing(model: Model, field: Field, { required, choices }: Rule): Problem {
  const instead = typeof required === 'object' ? ` unless ${eitherOf(required.unless)} is given` : ''
  const form = choices === undefined ? formOf(field) : `: one of ${choices.join(', ')}`
  const message = `\`${field}\` is required by \`${model.id}\`${instead}${form}`
  return {
    field,
    message,
    code: 'missing_required_parameter',
    ...(choices !== undefined && { allowed: choices }),
  }
}

function formOf(field: Field): string {
  const { kind, aliases = [] } = fields[field]
  if (kind !== 'media') return ''
  const names = aliases.filter((name) => name.endsWith('Url'))
  return `: an http(s) link or a data URL${names.length > 0 ? `, also as ${eitherOf(names)}` : ''}`
}

const situations: Readonly<Record<Mode, string>> = {
  text: ' without an image',
  image: ' with an image',
  video: ' with a video',
}

function unused(model: Model, field: Field, mode: Mode, { name }: Given): string {
  const when = model.fields[field] === undefined ? '' : situations[mode]
  return `\`${name}\` is not used by \`${model.id}\`${when}`
}

function invalid(field: string, message: string): Problem {
  return { field, message, code: 'invalid_parameter_value' }
}

function unknownModel(id: string): Problem {
  const ids = models.map((model) => model.id)
  const meant = nearest(id, ids)
  const hint = meant === undefined ? 'see the model list' : `did you mean \`${meant}\`?`
  return { field: 'model', message: `\`model\` ${show(id)} is not known; ${hint}`, code: 'model_not_found' }
}

function refuse(...problems: [Problem, ...Problem[]]): Refused {
  return { ok: false, problems }
}

function eitherOf(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' or ')
}

function textUnder(body: Body, name: string): string | undefined {
  const plain = plainName(name)
  const found = isEmpty(body[name])
    ? Object.entries(body).find(([key, value]) => plainName(key) === plain && !isEmpty(value))
    : [name, body[name]]
  return typeof found?.[1] === 'string' ? found[1].trim() : undefined
}
