import { describeResponse, type JsonSchema, type OperationDocs } from './operation.ts'

// Replies of routes that declare none themselves, as they are sent as they come.

export const textSchema = { type: 'string' }
const timeSchema = { type: 'string', format: 'date-time' }

/** An object of which each named member is there, unless its name ends in `?`. */
export function objectSchema(members: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const memberName = (name: string) => name.replace(/\?$/, '')
  return {
    type: 'object',
    required: Object.keys(members).filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(
      Object.entries(members).map(([name, schema]) => [memberName(name), schema]),
    ),
  }
}

export function listSchema(
  entry: JsonSchema,
  otherMembers: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return objectSchema({ data: { type: 'array', items: entry }, ...otherMembers })
}

export function okResponse(
  description: string,
  schema: JsonSchema,
  status = 200,
): NonNullable<OperationDocs['replies']> {
  return { [status]: describeResponse(description, { 'application/json': schema }) }
}

export const midjourneyStatusSchema = objectSchema({
  status: { enum: ['NOT_START', 'submitted', 'IN_PROGRESS', 'SUCCESS', 'FAILED', 'unknown'] },
  task_id: textSchema,
  'progress?': textSchema,
  'imageUrl?': textSchema,
  'videoUrl?': textSchema,
  'videoUrls?': { type: 'array', items: textSchema },
  'failReason?': textSchema,
})

export const priceSchema = objectSchema({
  model: textSchema,
  usd: { type: 'number' },
  'seconds?': { type: 'number' },
  warnings: { type: 'array', items: textSchema },
})

const briefModelMembers = {
  id: textSchema,
  object: { enum: ['model'] },
  created: { type: 'integer' },
  owned_by: textSchema,
}

const choicesSchema = { type: 'array', items: { type: ['string', 'number'] } }

/** Of one model; with `detailed=false` the first four members only. */
export const modelSchema = objectSchema({
  ...briefModelMembers,
  'name?': textSchema,
  'description?': textSchema,
  'category?': { enum: ['video'] },
  'available?': { type: 'boolean', description: 'Whether an upstream that renders it has its keys.' },
  'tags?': { type: 'array', items: textSchema },
  'architecture?': objectSchema({
    modality: textSchema,
    input_modalities: { type: 'array', items: { enum: ['text', 'image', 'audio', 'video'] } },
    output_modalities: { type: 'array', items: { enum: ['video'] } },
  }),
  'pricing?': objectSchema({ currency: { enum: ['USD'] } }),
  'capabilities?': { type: 'object', additionalProperties: { type: 'boolean' } },
  'settings?': { type: 'array', items: {} },
  'supported_parameters?': objectSchema({
    'durations?': choicesSchema,
    'resolutions?': { type: 'array', items: textSchema },
    'aspect_ratios?': { type: 'array', items: textSchema },
    'supported_modes?': { type: 'array', items: textSchema },
    'max_reference_images?': { type: 'integer' },
    parameters: { type: 'object', additionalProperties: { type: 'object' } },
  }),
})

export const attachmentSchema = objectSchema({
  id: textSchema,
  attachmentId: textSchema,
  kind: { enum: ['image', 'video', 'audio'] },
  contentType: textSchema,
  bytes: { type: 'integer' },
  filename: textSchema,
  createdAt: timeSchema,
  expiresAt: timeSchema,
})

const usdSchema = { type: 'number' }

export const usageSchema = objectSchema({
  object: { enum: ['list'] },
  data: {
    type: 'array',
    items: objectSchema({
      day: textSchema,
      key: textSchema,
      model: textSchema,
      'sandbox?': { type: 'boolean' },
      jobs: { type: 'integer' },
      usd: usdSchema,
    }),
  },
  total: objectSchema({ jobs: { type: 'integer' }, usd: usdSchema, 'sandboxJobs?': { type: 'integer' } }),
})

export const accountSchema = objectSchema({
  id: textSchema,
  name: textSchema,
  hint: textSchema,
  createdAt: { type: 'integer' },
  'revokedAt?': { type: 'integer' },
  'rpm?': { type: 'number' },
  'dailyUsd?': usdSchema,
  'balanceUsd?': usdSchema,
  reservedUsd: usdSchema,
  heldUsd: usdSchema,
  spentUsd: usdSchema,
})
