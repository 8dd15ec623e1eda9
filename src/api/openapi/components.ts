import { mediaFields } from '../../../providers/input.ts'
import { models } from '../../catalogue/models/index.ts'
import { buildRequestSchema } from '../../catalogue/request-schema.ts'
import { errors } from '../errors.ts'
import { type JsonSchema, schemaRef } from './operation.ts'

const text = { type: 'string' }

/** Fields of every submit, for any model. */
const commonFields: Readonly<Record<string, JsonSchema>> = {
  conversationUUID: {
    ...text,
    description: 'Stored with the job. `generate-video/recover` finds jobs by it.',
  },
  webhookUrl: {
    ...text,
    description: 'The URL that is notified when the job ends, signed according to Standard Webhooks.',
  },
}

/** One schema per model. Field names are parsed leniently and unknown fields are ignored with a warning, so additional properties are allowed. */
function createModelSchemas(): Record<string, JsonSchema> {
  return Object.fromEntries(
    models.map((model) => {
      const { properties, ...schema } = buildRequestSchema(model)
      const modelFields = Object.entries(properties).map(([name, field]) => [name, withFormat(name, field)])
      return [
        model.id,
        {
          ...schema,
          properties: { ...Object.fromEntries(modelFields), ...commonFields },
          additionalProperties: true,
        },
      ]
    }),
  )
}

/** Links, data URLs and attachments are all URIs. */
function withFormat(name: string, schema: JsonSchema): JsonSchema {
  if (!(name in mediaFields)) return schema
  const link = { type: 'string', format: 'uri' }
  return schema.type === 'array' ? { ...schema, items: link } : { ...schema, ...link }
}

const codes = Object.keys(errors)
const types = [...new Set(Object.values(errors).map(({ type }) => type))]

const errorSchema = {
  type: 'object',
  required: ['error', 'message', 'code', 'status'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'code', 'param'],
      properties: {
        message: text,
        type: { type: 'string', enum: types },
        code: { type: 'string', enum: codes },
        param: { type: ['string', 'null'], description: 'The invalid field.' },
        details: {
          type: 'array',
          items: { type: 'object' },
          description: 'Every problem, if there are several.',
        },
      },
      additionalProperties: true,
    },
    message: { ...text, description: 'The same text, for clients that read it here.' },
    code: { type: 'string', enum: codes },
    status: { type: 'integer' },
  },
}

const openaiErrorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'code', 'param'],
      properties: {
        message: text,
        type: text,
        code: { type: 'string', enum: codes },
        param: { type: ['string', 'null'] },
      },
    },
  },
}

const modelIds = models.map(({ id }) => id)

export const components = {
  securitySchemes: {
    key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
    bearer: { type: 'http', scheme: 'bearer' },
  } as const,
  schemas: {
    Error: errorSchema,
    OpenAIError: openaiErrorSchema,
    VideoRequest: {
      description: 'A video to generate. The fields depend on the model.',
      oneOf: modelIds.map(schemaRef),
      discriminator: {
        propertyName: 'model',
        mapping: Object.fromEntries(modelIds.map((id) => [id, schemaRef(id).$ref])),
      },
    },
    ...createModelSchemas(),
  },
}
