import type { FastifyRequest } from 'fastify'
import { validateRequest } from '../../catalogue/validation/validate.ts'
import { readBodyObject } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { createRequestRedactor } from '../plugins/redact-request.ts'
import { readValidationOptions } from '../requests/validation-options.ts'
import { toValidationError } from './accept-submission.ts'

/** What a submit of the same body would reserve; nothing is stored and nobody is asked. */
export async function estimatePrice(deps: ApiDeps, request: FastifyRequest) {
  const result = validateRequest(readBodyObject(request.body), readValidationOptions(deps, request))
  if (!result.ok) throw toValidationError(result.problems)
  const { model, input, warnings } = result
  const { usd, seconds, warnings: priceWarnings } = deps.billing.price(model, input)
  const allWarnings = [...warnings, ...priceWarnings].map(createRequestRedactor(request))
  return { model: model.id, usd, ...(seconds !== undefined && { seconds }), warnings: allWarnings }
}
