import { type JsonSchema, type Operation, reply } from './operation.ts'

// Replies of routes that declare none themselves, as they are sent as they come.

export const text = { type: 'string' }
const time = { type: 'string', format: 'date-time' }

/** An object of which each named member is there, unless its name ends in `?`. */
export function object(members: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const plain = (name: string) => name.replace(/\?$/, '')
  return {
    type: 'object',
    required: Object.keys(members).filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(Object.entries(members).map(([name, schema]) => [plain(name), schema])),
  }
}

export function listOf(entry: JsonSchema, more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema {
  return object({ data: { type: 'array', items: entry }, ...more })
}

export function ok(description: string, schema: JsonSchema, status = 200): NonNullable<Operation['replies']> {
  return { [status]: reply(description, { 'application/json': schema }) }
}

export const midjourney = object({
  status: { enum: ['NOT_START', 'submitted', 'IN_PROGRESS', 'SUCCESS', 'FAILED', 'unknown'] },
  task_id: text,
  'progress?': text,
  'imageUrl?': text,
  'videoUrl?': text,
  'videoUrls?': { type: 'array', items: text },
  'failReason?': text,
})

export const price = object({
  model: text,
  usd: { type: 'number' },
  'seconds?': { type: 'number' },
  warnings: { type: 'array', items: text },
})

const brief = {
  id: text,
  object: { enum: ['model'] },
  created: { type: 'integer' },
  owned_by: text,
}

const choices = { type: 'array', items: { type: ['string', 'number'] } }

/** Of one model; with `detailed=false` the first four members only. */
export const model = object({
  ...brief,
  'name?': text,
  'description?': text,
  'category?': { enum: ['video'] },
  'available?': { type: 'boolean', description: 'Whether an upstream that renders it has its keys.' },
  'tags?': { type: 'array', items: text },
  'architecture?': object({
    modality: text,
    input_modalities: { type: 'array', items: { enum: ['text', 'image', 'audio', 'video'] } },
    output_modalities: { type: 'array', items: { enum: ['video'] } },
  }),
  'pricing?': object({ currency: { enum: ['USD'] } }),
  'capabilities?': { type: 'object', additionalProperties: { type: 'boolean' } },
  'settings?': { type: 'array', items: {} },
  'supported_parameters?': object({
    'durations?': choices,
    'resolutions?': { type: 'array', items: text },
    'aspect_ratios?': { type: 'array', items: text },
    'supported_modes?': { type: 'array', items: text },
    'max_reference_images?': { type: 'integer' },
    parameters: { type: 'object', additionalProperties: { type: 'object' } },
  }),
})

export const attachment = object({
  id: text,
  attachmentId: text,
  kind: { enum: ['image', 'video', 'audio'] },
  contentType: text,
  bytes: { type: 'integer' },
  filename: text,
  createdAt: time,
  expiresAt: time,
})

const usd = { type: 'number' }

export const usage = object({
  object: { enum: ['list'] },
  data: {
    type: 'array',
    items: object({
      day: text,
      key: text,
      model: text,
      'sandbox?': { type: 'boolean' },
      jobs: { type: 'integer' },
      usd,
    }),
  },
  total: object({ jobs: { type: 'integer' }, usd, 'sandboxJobs?': { type: 'integer' } }),
})

export const account = object({
  id: text,
  name: text,
  hint: text,
  createdAt: { type: 'integer' },
  'revokedAt?': { type: 'integer' },
  'rpm?': { type: 'number' },
  'dailyUsd?': usd,
  'balanceUsd?': usd,
  reservedUsd: usd,
  heldUsd: usd,
  spentUsd: usd,
})
