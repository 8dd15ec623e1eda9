import type { FastifyRequest } from 'fastify'
import { type Admitted, admit } from '../../catalogue/admit.ts'
import { validationOf } from '../handling.ts'
import { type Body, refusalOf } from '../nanogpt/submit.ts'
import type { AppParts } from '../parts.ts'
import { inOurWords, isSora } from './words.ts'

type Validated = { admitted: Admitted; ours: Body }

/**
 * Reads a body of the OpenAI Videos API. For Sora, what OpenAI itself rejects is rejected unless the request prefers otherwise; for
 * other models, to which no rule of that API applies, the closest value is rendered. `more`: fields that the gateway adds.
 */
export function validate(
  parts: AppParts,
  request: FastifyRequest,
  body: Body,
  more: { before?: Body; after?: Body } = {},
): Validated {
  const validation = validationOf(parts, request)
  const isPreferred = request.preferenceApplied !== undefined
  const handling = isSora(body.model) && !isPreferred ? 'strict' : validation.handling
  const ours = { ...more.before, ...inOurWords(body, handling), ...more.after }
  const admitted = admit(ours, { ...validation, ...(handling !== undefined && { handling }) })
  if (!admitted.ok) throw refusalOf(admitted.problems)
  return { admitted, ours }
}
