import type { FastifyRequest } from 'fastify'
import { validateRequest } from '../../catalogue/validation/validate.ts'
import type { RequestBody } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { readValidationOptions } from '../requests/validation-options.ts'
import { toIsoTime } from '../responses/job-fields.ts'
import {
  type AcceptedJob,
  acceptSubmission,
  replayOrCreate,
  toValidationError,
} from '../submission/accept-submission.ts'
import type { SubmitResponse } from './schemas.ts'

/** The balance that is reported to a caller without a limit: some clients stop at an empty balance. */
export const unlimitedUsd = 1_000_000

/** Validates a body and creates its job, unless the request repeats an earlier one. The worker calls the upstream, after the response. */
export async function submitRequestBody(
  deps: ApiDeps,
  request: FastifyRequest,
  body: RequestBody,
): Promise<SubmitResponse> {
  const accepted = await replayOrCreate(deps, request, request.body, () => {
    const result = validateRequest(body, readValidationOptions(deps, request))
    if (!result.ok) throw toValidationError(result.problems)
    return acceptSubmission(deps, request, { ...result, body: request.body })
  })
  return toSubmitResponse(accepted)
}

/** The response to a submit and to its repetitions. */
export function toSubmitResponse({ job, warnings }: AcceptedJob): SubmitResponse {
  return {
    runId: job.id,
    id: job.id,
    requestId: job.id,
    taskId: job.id,
    projectId: job.id,
    status: 'pending',
    model: job.model,
    cost: job.costUsd,
    paymentSource: 'USD',
    remainingBalance: job.remainingUsd ?? unlimitedUsd,
    prechargeLabel: `$${job.costUsd.toFixed(2)}`,
    createdAt: toIsoTime(job.createdAt),
    warnings: [...warnings],
    ...(job.sandbox === true && { sandbox: true }),
  }
}
