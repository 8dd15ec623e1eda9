import { Kind, type TObject, type TSchema, Type, TypeRegistry } from '@sinclair/typebox'
import { allFields, fields } from './fields.ts'
import type { Model, Rule } from './model.ts'
import { widestRule } from './rules.ts'

/** A plain JSON Schema enum: it gives one error, while a union of literals gives one per branch. */
function createChoiceSchema(values: readonly (string | number)[], annotations: object): TSchema {
  const type = values.every((value) => typeof value === 'number') ? 'number' : 'string'
  return Type.Unsafe({ ...annotations, [Kind]: 'Choice', type, enum: values })
}

TypeRegistry.Set<{ enum: readonly unknown[] }>('Choice', (schema, value) => schema.enum.includes(value))

/** The schema of a model's input over all modes, in canonical names and types. Rules of single modes are checked by `validate`. */
export function buildRequestSchema(model: Model): TObject {
  const properties: Record<string, TSchema> = {
    model: createChoiceSchema([model.id], { description: 'The model.' }),
  }
  for (const field of allFields) {
    const rule = widestRule(model, field)
    if (rule === undefined) continue
    const schema = createFieldSchema(field, rule)
    properties[field] = rule.required === true ? schema : Type.Optional(schema)
  }
  return Type.Object(properties, {
    title: model.name,
    description: model.description,
    additionalProperties: false,
  })
}

function createFieldSchema(field: (typeof allFields)[number], rule: Rule): TSchema {
  const { kind, label, description } = fields[field]
  const annotations = {
    title: label,
    description,
    ...(rule.default !== undefined && { default: rule.default }),
  }
  if (rule.fixed !== undefined) return createChoiceSchema([rule.fixed], annotations)
  if (rule.choices !== undefined) return createChoiceSchema(rule.choices, annotations)
  const { min: minimum, max: maximum, maxLength } = rule
  const boundedAnnotations = {
    ...annotations,
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  }
  if (kind === 'number' || kind === 'seconds') return Type.Number(boundedAnnotations)
  if (kind === 'integer' || kind === 'seed') return Type.Integer(boundedAnnotations)
  if (kind === 'switch') return Type.Boolean(annotations)
  if (kind === 'object') return Type.Record(Type.String(), Type.Unknown(), annotations)
  if (kind === 'list') return Type.Array(Type.Unknown(), annotations)
  if (kind === 'mediaList') {
    return Type.Array(Type.String(), { ...annotations, ...(maximum !== undefined && { maxItems: maximum }) })
  }
  return Type.String({ ...annotations, ...(maxLength !== undefined && { maxLength }) })
}
