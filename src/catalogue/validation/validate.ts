import { type Field, type Input, mediaFields } from '../../../providers/input.ts'
import { impliedOperation } from '../../../providers/operation.ts'
import { findNearestWord } from '../../text/nearest-word.ts'
import { fields, normalizeName } from '../fields.ts'
import type { Mode, Model, Rule } from '../model.ts'
import { findModel, models } from '../models/index.ts'
import { listRules, type Problem, quoteValue } from '../rules.ts'
import { type Adjustment, alignFieldsWithSize, describeAdjustments, resolveConflicts } from './adjust.ts'
import { cleanTexts } from './clean-text.ts'
import { moveEquivalentFields } from './equivalents.ts'
import { type FieldSpelling, normalizeFields } from './normalize.ts'
import { type FieldValue, isEmpty } from './parse-value.ts'
import {
  defaultValueOf,
  findNamedOperation,
  isOperationMode,
  type ResolvedField,
  resolveField,
} from './resolve-field.ts'

export type { Problem } from '../rules.ts'

export type ValidRequest = {
  ok: true
  model: Model
  input: Input
  warnings: readonly string[]
  handling: 'lenient' | 'strict'
  conversationUUID?: string
}
export type InvalidRequest = { ok: false; problems: readonly [Problem, ...Problem[]] }

type Body = Readonly<Record<string, unknown>>

export type ValidationOptions = {
  /** Whether an unsupported value becomes the closest supported one, with a warning, or is a problem. */
  handling?: 'lenient' | 'strict'
  /** The longest text for a model without its own limit, in Unicode code points. */
  promptMaxCharacters?: number
}

/** Validates a request body. Returns the model and the input in canonical names and types, or all problems. */
export function validateRequest(body: Body, options?: ValidationOptions): ValidRequest | InvalidRequest {
  const id = readText(body, 'model') ?? readText(body, 'modelSlug')
  const code = 'missing_required_parameter'
  if (id === undefined) return reject({ field: 'model', message: '`model` is required', code })
  const model = findModel(id)
  return model === undefined ? reject(unknownModelProblem(id)) : validateForModel(model, body, options)
}

/** Validates a request body for a given model. */
export function validateForModel(
  model: Model,
  request: Body,
  options: ValidationOptions = {},
): ValidRequest | InvalidRequest {
  const { handling = 'lenient', promptMaxCharacters } = options
  const isStrict = handling === 'strict'
  const { body, changedNames: cleanedNames } = cleanTexts(request)
  const normalized = normalizeFields(body)
  const mode =
    findNamedOperation(model, normalized.spellings) ??
    impliedOperation(model.modes, (field) => normalized.spellings.has(field))
  const rules = listRules(model, mode)
  const spellings = moveEquivalentFields(model, normalized.spellings, rules)
  const warnings = [...normalized.warnings]
  const problems: Problem[] = []
  for (const name of cleanedNames) {
    const message = `\`${name}\` has characters that are no text (NUL, or half of a surrogate pair)`
    if (isStrict) problems.push(invalidValue(name, message))
    else warnings.push(`${message}: they were removed`)
  }
  const values: Partial<Record<Field, FieldValue>> = {}
  const adjustments = new Map<Field, Adjustment>()
  const ignoredFields = [...spellings].filter(([field]) => !rules.has(field))
  for (const [field, spelling] of ignoredFields.flatMap(([field, spellings]) =>
    spellings.map((fieldSpelling) => [field, fieldSpelling] as const),
  )) {
    if (isOperationMode(field, spelling)) continue
    const message = describeUnused(model, field, mode, spelling)
    if (isStrict && field in mediaFields) problems.push(invalidValue(spelling.name, message))
    else warnings.push(`${message} and was ignored`)
  }
  for (const [field, rule] of rules) {
    const fieldSpellings = spellings.get(field)
    const resolved: ResolvedField =
      fieldSpellings === undefined
        ? defaultValueOf(rule)
        : resolveField(field, withTextLimit(field, rule, promptMaxCharacters), fieldSpellings)
    if (resolved.warnings !== undefined) warnings.push(...resolved.warnings)
    if (resolved.problem === undefined) {
      if (resolved.value !== undefined) values[field] = resolved.value
      else if (isRequired(rule, spellings)) problems.push(missingProblem(model, field, rule))
    } else if (isStrict || resolved.substitute === undefined) problems.push(resolved.problem)
    else {
      if (resolved.substitute.value !== undefined) values[field] = resolved.substitute.value
      adjustments.set(field, { name: resolved.spelling.name, requested: resolved.spelling.value })
    }
  }
  for (const [field, overruledValue] of alignFieldsWithSize(values, rules, spellings)) {
    if (isStrict) problems.push(invalidValue(overruledValue.name, overruledValue.reason))
    else if (!adjustments.has(field)) adjustments.set(field, overruledValue)
  }
  if (hasOperations(model)) values.operation = mode
  const [firstProblem, ...otherProblems] = problems
  if (firstProblem !== undefined) return reject(firstProblem, ...otherProblems)
  const conflict = isStrict
    ? model.check?.(values as Input)
    : resolveConflicts(model, values, adjustments, spellings)
  if (conflict !== undefined) {
    const field = spellings.get(conflict.field)?.[0].name ?? conflict.field
    return reject({ field, message: conflict.message, code: conflict.code ?? 'invalid_parameter_value' })
  }
  const conversationUUID = readText(body, 'conversationUUID')
  return {
    ok: true,
    model,
    input: values as Input,
    warnings: [...warnings, ...describeAdjustments(model, values, adjustments)],
    handling,
    ...(conversationUUID !== undefined && { conversationUUID }),
  }
}

/** Whether the inputs may leave the operation open, so that the job stores it. */
function hasOperations({ modes }: Model): boolean {
  return modes.some((mode) => mode === 'reference' || mode === 'edit' || mode === 'extend')
}

/** Applies the default limit to texts without a limit of the model. */
function withTextLimit(field: Field, rule: Rule, promptMaxCharacters: number | undefined): Rule {
  if (promptMaxCharacters === undefined || fields[field].kind !== 'text' || rule.maxLength !== undefined)
    return rule
  return { ...rule, maxLength: promptMaxCharacters }
}

function isRequired({ required }: Rule, spellings: ReadonlyMap<Field, unknown>): boolean {
  if (required === undefined) return false
  return required === true || !required.unless.some((field) => spellings.has(field))
}

function missingProblem(model: Model, field: Field, { required, choices }: Rule): Problem {
  const alternative = typeof required === 'object' ? ` unless ${joinWithOr(required.unless)} is given` : ''
  const accepted = choices === undefined ? describeAcceptedMedia(field) : `: one of ${choices.join(', ')}`
  const message = `\`${field}\` is required by \`${model.id}\`${alternative}${accepted}`
  return {
    field,
    message,
    code: 'missing_required_parameter',
    ...(choices !== undefined && { allowed: choices }),
  }
}

function describeAcceptedMedia(field: Field): string {
  const { kind, aliases = [] } = fields[field]
  if (kind !== 'media') return ''
  const names = aliases.filter((name) => name.endsWith('Url'))
  return `: an http(s) link or a data URL${names.length > 0 ? `, also as ${joinWithOr(names)}` : ''}`
}

const modePhrases: Readonly<Record<Mode, string>> = {
  text: ' without an image',
  image: ' with an image',
  reference: ' with references',
  video: ' with a video',
  edit: ' when it edits a video',
  extend: ' when it extends a video',
}

function describeUnused(model: Model, field: Field, mode: Mode, { name }: FieldSpelling): string {
  const modePhrase = model.fields[field] === undefined ? '' : modePhrases[mode]
  return `\`${name}\` is not used by \`${model.id}\`${modePhrase}`
}

function invalidValue(field: string, message: string): Problem {
  return { field, message, code: 'invalid_parameter_value' }
}

function unknownModelProblem(id: string): Problem {
  const modelIds = models.map((model) => model.id)
  const suggestion = findNearestWord(id, modelIds)
  const hint = suggestion === undefined ? 'see the model list' : `did you mean \`${suggestion}\`?`
  return {
    field: 'model',
    message: `\`model\` ${quoteValue(id)} is not known; ${hint}`,
    code: 'model_not_found',
  }
}

function reject(...problems: [Problem, ...Problem[]]): InvalidRequest {
  return { ok: false, problems }
}

function joinWithOr(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' or ')
}

function readText(body: Body, name: string): string | undefined {
  const normalizedName = normalizeName(name)
  const entry = isEmpty(body[name])
    ? Object.entries(body).find(([key, value]) => normalizeName(key) === normalizedName && !isEmpty(value))
    : [name, body[name]]
  return typeof entry?.[1] === 'string' ? entry[1].trim() : undefined
}
