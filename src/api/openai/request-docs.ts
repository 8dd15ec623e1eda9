import { preferHeader } from '../openapi/operation.ts'

export const submitHeaders = {
  ...preferHeader,
  'idempotency-key': { type: 'string', minLength: 1, maxLength: 255 },
}

/** The body of a submit, without its properties. */
export const videoBody = {
  type: 'object',
  required: ['prompt'],
  description: 'Any other field of the model is passed on to it.',
  additionalProperties: true,
}
