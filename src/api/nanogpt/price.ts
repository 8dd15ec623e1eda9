import { validateRequest } from '../../catalogue/validation/validate.ts'
import { readBodyObject } from '../body/request-body.ts'
import { describeResponse, jsonContent, preferHeader, schemaRef } from '../openapi/operation.ts'
import { objectSchema, textSchema } from '../openapi/response-schemas.ts'
import { createRequestRedactor } from '../plugins/redact-request.ts'
import { readValidationOptions } from '../requests/validation-options.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { toValidationError } from '../submission/accept-submission.ts'

const priceSchema = objectSchema({
  model: textSchema,
  usd: { type: 'number' },
  'seconds?': { type: 'number' },
  warnings: { type: 'array', items: textSchema },
})

/** The amount that a submit of the same body would reserve. Stores nothing and calls no upstream. */
export const estimatePrice: RouteDefinition = {
  method: 'POST',
  path: '/price',
  docs: {
    id: 'price',
    tag: 'Videos',
    summary: 'The price of a video, without submitting it',
    headers: preferHeader,
    body: jsonContent(schemaRef('VideoRequest')),
    replies: { 200: describeResponse('The price.', { 'application/json': priceSchema }) },
    errorStatuses: [404],
  },
  respond: async (deps, request) => {
    const result = validateRequest(readBodyObject(request.body), readValidationOptions(deps, request))
    if (!result.ok) throw toValidationError(result.problems)
    const { model, input, warnings } = result
    const { usd, seconds, warnings: priceWarnings } = deps.billing.price(model, input)
    const allWarnings = [...warnings, ...priceWarnings].map(createRequestRedactor(request))
    return { model: model.id, usd, ...(seconds !== undefined && { seconds }), warnings: allWarnings }
  },
}
