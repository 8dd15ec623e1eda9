import type { FastifyRequest } from 'fastify'
import { type Admitted, admit } from '../../catalogue/admit.ts'
import { findModel } from '../../catalogue/index.ts'
import { valuesOf } from '../../catalogue/parameters.ts'
import { validationOf } from '../handling.ts'
import { type Body, refusalOf } from '../nanogpt/submit.ts'
import type { AppParts } from '../parts.ts'
import { inOurWords, isSora } from './words.ts'

type Validated = { admitted: Admitted; ours: Body }

/**
 * Reads a body of the OpenAI Videos API. For Sora, a `size` that OpenAI rejects and more `seconds` than it renders are rejected, unless the request
 * prefers otherwise; every other value becomes the closest one that is rendered. `more`: fields that the gateway adds.
 */
export function validate(
  parts: AppParts,
  request: FastifyRequest,
  body: Body,
  more: { before?: Body; after?: Body } = {},
): Validated {
  const validation = validationOf(parts, request)
  const isByRule = isSora(body.model) && request.preferenceApplied === undefined
  const ours = {
    ...more.before,
    ...inOurWords(body, isByRule ? 'strict' : validation.handling),
    ...more.after,
  }
  const admitted = admit(
    ours,
    isByRule && isTooLong(body) ? { ...validation, handling: 'strict' } : validation,
  )
  if (!admitted.ok) throw refusalOf(admitted.problems)
  return { admitted, ours }
}

function isTooLong({ seconds }: Body): boolean {
  const sora = findModel('sora-2')
  return sora !== undefined && Number(seconds) > Math.max(...valuesOf(sora, 'duration').map(Number))
}
