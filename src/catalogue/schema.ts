import { Kind, type TObject, type TSchema, Type, TypeRegistry } from '@sinclair/typebox'
import { allFields, fields } from './fields.ts'
import type { Model, Rule } from './model.ts'
import { widestRule } from './rules.ts'

/** A plain JSON-Schema enum, which one error can name; a union of literals would give one error a branch. */
function choice(values: readonly (string | number)[], told: object): TSchema {
  const type = values.every((value) => typeof value === 'number') ? 'number' : 'string'
  return Type.Unsafe({ ...told, [Kind]: 'Choice', type, enum: values })
}

TypeRegistry.Set<{ enum: readonly unknown[] }>('Choice', (schema, value) => schema.enum.includes(value))

/** What a model takes, in canonical names and types, over all of its modes. What holds in one mode only is left to `admit`. */
export function requestSchema(model: Model): TObject {
  const properties: Record<string, TSchema> = { model: choice([model.id], { description: 'The model.' }) }
  for (const field of allFields) {
    const rule = widestRule(model, field)
    if (rule === undefined) continue
    const schema = schemaOf(field, rule)
    properties[field] = rule.required === true ? schema : Type.Optional(schema)
  }
  return Type.Object(properties, {
    title: model.name,
    description: model.description,
    additionalProperties: false,
  })
}

function schemaOf(field: (typeof allFields)[number], rule: Rule): TSchema {
  const { kind, label, description } = fields[field]
  const told = { title: label, description, ...(rule.default !== undefined && { default: rule.default }) }
  if (rule.fixed !== undefined) return choice([rule.fixed], told)
  if (rule.choices !== undefined) return choice(rule.choices, told)
  const { min: minimum, max: maximum, maxLength } = rule
  const bounded = {
    ...told,
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  }
  if (kind === 'number' || kind === 'seconds') return Type.Number(bounded)
  if (kind === 'integer' || kind === 'seed') return Type.Integer(bounded)
  if (kind === 'switch') return Type.Boolean(told)
  if (kind === 'object') return Type.Record(Type.String(), Type.Unknown(), told)
  if (kind === 'list') return Type.Array(Type.Unknown(), told)
  if (kind === 'mediaList') {
    return Type.Array(Type.String(), { ...told, ...(maximum !== undefined && { maxItems: maximum }) })
  }
  return Type.String({ ...told, ...(maxLength !== undefined && { maxLength }) })
}
