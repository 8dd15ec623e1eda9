import { objectSchema, textSchema } from '../../openapi/response-schemas.ts'

const briefModelMembers = {
  id: textSchema,
  object: { enum: ['model'] },
  created: { type: 'integer' },
  owned_by: textSchema,
}

const choicesSchema = { type: 'array', items: { type: ['string', 'number'] } }

/** One entry of a list of models; with `detailed=false` the first four members only. */
export const modelSchema = objectSchema({
  ...briefModelMembers,
  'name?': textSchema,
  'description?': textSchema,
  'category?': { enum: ['video'] },
  'available?': { type: 'boolean', description: 'Whether an upstream that renders it has an API key.' },
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
