import type { FastifyRequest } from 'fastify'
import { findModel } from '../../catalogue/models/index.ts'
import { listFieldValues } from '../../catalogue/parameters.ts'
import { type ValidRequest, validateRequest } from '../../catalogue/validation/validate.ts'
import type { RequestBody } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { readValidationOptions } from '../requests/validation-options.ts'
import { toValidationError } from '../submission/accept-submission.ts'
import { fromOpenai, isSora } from './from-openai.ts'

type ValidatedVideo = { validated: ValidRequest; body: RequestBody }

/**
 * Reads a body of the OpenAI Videos API. For Sora, a `size` that OpenAI rejects and more `seconds` than it renders are rejected, unless the request
 * prefers otherwise; every other value becomes the closest one that is rendered. `extraFields`: fields that the gateway adds.
 */
export function validateVideo(
  deps: ApiDeps,
  request: FastifyRequest,
  body: RequestBody,
  extraFields: { before?: RequestBody; after?: RequestBody } = {},
): ValidatedVideo {
  const validation = readValidationOptions(deps, request)
  const followsSoraRules = isSora(body.model) && request.preferenceApplied === undefined
  const translated = {
    ...extraFields.before,
    ...fromOpenai(body, followsSoraRules ? 'strict' : validation.handling),
    ...extraFields.after,
  }
  const result = validateRequest(
    translated,
    followsSoraRules && isTooLongForSora(body) ? { ...validation, handling: 'strict' } : validation,
  )
  if (!result.ok) throw toValidationError(result.problems)
  return { validated: result, body: translated }
}

function isTooLongForSora({ seconds }: RequestBody): boolean {
  const sora = findModel('sora-2')
  return sora !== undefined && Number(seconds) > Math.max(...listFieldValues(sora, 'duration').map(Number))
}
