import { preferHeader } from '../openapi/operation.ts'

export const submitHeaders = {
  ...preferHeader,
  'idempotency-key': {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    description: 'Repetitions of this submit with the same key create no further job, for 24 hours.',
  },
}

export const submitErrorStatuses = [402, 403, 404, 409, 422, 429]
