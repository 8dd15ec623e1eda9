import type { FastifyRequest } from 'fastify'
import { type Admitted, admit } from '../../catalogue/admit.ts'
import { validationOf } from '../handling.ts'
import { type Body, refusalOf } from '../nanogpt/submit.ts'
import type { AppParts } from '../parts.ts'
import { inOurWords, isSora } from './words.ts'

type Validated = { admitted: Admitted; ours: Body }

/**
 * Reads a body of the OpenAI Videos API. A `size` that OpenAI itself rejects for Sora is rejected unless the request prefers otherwise; every other
 * value becomes the closest one that is rendered. `more`: fields that the gateway adds.
 */
export function validate(
  parts: AppParts,
  request: FastifyRequest,
  body: Body,
  more: { before?: Body; after?: Body } = {},
): Validated {
  const validation = validationOf(parts, request)
  const isPreferred = request.preferenceApplied !== undefined
  const ofSize = isSora(body.model) && !isPreferred ? 'strict' : validation.handling
  const ours = { ...more.before, ...inOurWords(body, ofSize), ...more.after }
  const admitted = admit(ours, validation)
  if (!admitted.ok) throw refusalOf(admitted.problems)
  return { admitted, ours }
}
