import type { Field, Input } from '../../providers/input.ts'
import { fields, plainName } from './fields.ts'
import { fold, type Given } from './fold.ts'
import { findModel, models } from './index.ts'
import type { Mode, Model, Rule } from './model.ts'
import { nearest } from './near.ts'
import { isEmpty, type Value } from './parse.ts'
import { modeOf, type Problem, rulesOf, show } from './rules.ts'
import { fallback, isOperation, settle } from './settle.ts'

export type { Problem } from './rules.ts'

export type Admitted = {
  ok: true
  model: Model
  input: Input
  warnings: readonly string[]
  conversationUUID?: string
}
export type Refused = { ok: false; problems: readonly [Problem, ...Problem[]] }

type Body = Readonly<Record<string, unknown>>

/** Reads a request body: which model, and what it is asked for in canonical names and types; or all that is wrong with it. */
export function admit(body: Body): Admitted | Refused {
  const id = textUnder(body, 'model') ?? textUnder(body, 'modelSlug')
  const code = 'missing_required_parameter'
  if (id === undefined) return refuse({ field: 'model', message: '`model` is required', code })
  const model = findModel(id)
  return model === undefined ? refuse(unknownModel(id)) : admitTo(model, body)
}

/** The same for a model that is already known. */
export function admitTo(model: Model, body: Body): Admitted | Refused {
  const { given, warnings } = fold(body)
  const mode = modeOf(model, (field) => given.has(field))
  const said = [...warnings]
  const problems: Problem[] = []
  const values: Partial<Record<Field, Value>> = {}
  const rules = rulesOf(model, mode)
  for (const [field, [spelling]] of given) {
    if (!rules.has(field) && !isOperation(field, spelling)) said.push(unused(model, field, mode, spelling))
  }
  for (const [field, rule] of rules) {
    const told = given.get(field)
    const settled = told === undefined ? fallback(rule) : settle(model, field, rule, told)
    if (settled.warnings !== undefined) said.push(...settled.warnings)
    if (settled.problem !== undefined) problems.push(settled.problem)
    else if (settled.value !== undefined) values[field] = settled.value
    else if (isNeeded(rule, given)) problems.push(missing(model, field, rule))
  }
  const input = values as Input
  const [problem, ...others] = problems
  if (problem !== undefined) return refuse(problem, ...others)
  const wrong = model.check?.(input)
  if (wrong !== undefined) {
    const field = given.get(wrong.field)?.[0].name ?? wrong.field
    return refuse({ field, message: wrong.message, code: wrong.code ?? 'invalid_parameter_value' })
  }
  const conversationUUID = textUnder(body, 'conversationUUID')
  return {
    ok: true,
    model,
    input,
    warnings: said,
    ...(conversationUUID !== undefined && { conversationUUID }),
  }
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
  return `\`${name}\` is not used by \`${model.id}\`${when} and was ignored`
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
