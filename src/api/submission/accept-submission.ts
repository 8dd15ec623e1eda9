import type { FastifyRequest } from 'fastify'
import type { Field } from '../../../providers/input.ts'
import { JobRefused } from '../../accounts/check-account.ts'
import type { JobPrice } from '../../accounts/job-price.ts'
import { sentNameOf } from '../../catalogue/validation/normalize.ts'
import type { Problem, ValidRequest } from '../../catalogue/validation/validate.ts'
import { validateRequest } from '../../catalogue/validation/validate.ts'
import type { CreatedJob } from '../../jobs/engine.ts'
import { RecordTooLarge } from '../../jobs/store/record-size.ts'
import { hasFilesToStore, type StoredInput } from '../../media/inputs/store-input.ts'
import type { RequestBody } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import type { SubmitResponse } from '../nanogpt/schemas.ts'
import { toIsoTime } from '../nanogpt/status-body.ts'
import { toRecordTooLargeError } from '../plugins/error-handler.ts'
import { findReplay, recordCreatedJob } from '../plugins/idempotency.ts'
import { createRequestRedactor } from '../plugins/redact-request.ts'
import { checkInputLimits, shortenWarnings } from '../requests/input-limits.ts'
import { createJobId } from '../requests/job-id.ts'
import { readJobWebhook } from '../requests/read-webhook.ts'
import { readValidationOptions } from '../requests/validation-options.ts'
import {
  findUpstreams,
  type OrderedUpstreams,
  orderUpstreams,
  publicLinkRequiredError,
} from './choose-upstreams.ts'

/** The balance that is reported to a caller without a limit: some clients stop at an empty balance. */
export const unlimitedUsd = 1_000_000

/** Validates a body and creates its job, unless the request repeats an earlier one. The worker calls the upstream, after the response. */
export async function submitRequestBody(
  deps: ApiDeps,
  request: FastifyRequest,
  body: RequestBody,
): Promise<SubmitResponse> {
  const replay = await findReplay(deps, request)
  if (replay !== undefined) return toSubmitResponse(replay)
  const result = validateRequest(body, readValidationOptions(deps, request))
  if (!result.ok) throw toValidationError(result.problems)
  return acceptSubmission(deps, request, { ...result, body: request.body })
}

/** Creates the job of a validated request: chooses its upstreams, stores its media and reserves its price. Errors name fields as `body` spells them. */
export async function acceptSubmission(
  deps: ApiDeps,
  request: FastifyRequest,
  validated: ValidRequest & { body: unknown; remixedFrom?: string },
  agreedPrice?: JobPrice,
): Promise<SubmitResponse> {
  const { engine, routing, media, billing } = deps
  const fieldNameInRequest = (field: Field) => sentNameOf(validated.body, field)
  checkInputLimits(validated, request.server.textLimits, fieldNameInRequest)
  const { model, conversationUUID, remixedFrom } = validated
  request.modelId = model.id
  const webhook = readJobWebhook(deps, request, validated.body)
  const { input, warnings, route } = findUpstreams(deps, validated)
  const fault = deps.storage.fault()
  if (fault !== undefined) throw fault
  const price = agreedPrice ?? billing.price(model, input)
  if (hasFilesToStore(input)) await billing.check(request.owner, price.usd)
  const storedInput = await media.storeInput(input, { owner: request.owner, spellField: fieldNameInRequest })
  const allWarnings = shortenWarnings([...warnings, ...price.warnings].map(createRequestRedactor(request)))
  const accepted = await acceptOrForgetMedia(storedInput, async () => {
    const [preferred, ...others] =
      storedInput.input === input ? route : routing.listUpstreams(model, storedInput.input)
    if (preferred === undefined)
      throw publicLinkRequiredError(model, storedInput.input, routing, fieldNameInRequest)
    const upstreams = await orderUpstreams(deps, model, [preferred, ...others])
    const acceptance = engine.create({
      id: createJobId(),
      owner: request.owner,
      model: model.id,
      input: storedInput.input,
      route: upstreams.route,
      ...(upstreams.retriesKey === true && { retriesKey: true }),
      deadlineSeconds: model.deadlineSeconds,
      costUsd: price.usd,
      ...(price.meter !== undefined && { meter: price.meter }),
      sandbox: routing.sandbox,
      ...(conversationUUID !== undefined && { conversationUUID }),
      ...(remixedFrom !== undefined && { remixedFrom }),
      webhook,
      ...(request.idempotency !== undefined && {
        idempotencyKey: request.idempotency,
        warnings: allWarnings,
      }),
    })
    return awaitOrRelease(upstreams, acceptance)
  }).catch((cause: unknown) => {
    throw cause instanceof RecordTooLarge ? toRecordTooLargeError(cause, fieldNameInRequest) : cause
  })
  return toSubmitResponse(recordCreatedJob(request, accepted), allWarnings)
}

/** Deletes the stored media if no job was created. If that is uncertain, they stay. */
async function acceptOrForgetMedia(
  { discard: forget }: StoredInput,
  accept: () => Promise<CreatedJob>,
): Promise<CreatedJob> {
  try {
    const accepted = await accept()
    if (accepted.replay !== undefined) await forget().catch(() => undefined)
    return accepted
  } catch (cause) {
    // What cannot be removed now goes with the other old inputs.
    if (isRejection(cause)) await forget().catch(() => undefined)
    throw cause
  }
}

function isRejection(cause: unknown): boolean {
  return cause instanceof JobRefused || cause instanceof ApiError || cause instanceof RecordTooLarge
}

/** Releases the retry of a rejected key if no job was created, so that the next job makes it. */
async function awaitOrRelease(
  { release }: OrderedUpstreams,
  acceptance: Promise<CreatedJob>,
): Promise<CreatedJob> {
  try {
    const accepted = await acceptance
    if (accepted.replay !== undefined) await release()
    return accepted
  } catch (cause) {
    await release()
    throw cause
  }
}

/** The response to a submit and to its repetitions. */
export function toSubmitResponse(view: CreatedJob, warnings: readonly string[] = []): SubmitResponse {
  return {
    runId: view.id,
    id: view.id,
    requestId: view.id,
    taskId: view.id,
    projectId: view.id,
    status: 'pending',
    model: view.model,
    cost: view.costUsd,
    paymentSource: 'USD',
    remainingBalance: view.remainingUsd ?? unlimitedUsd,
    prechargeLabel: `$${view.costUsd.toFixed(2)}`,
    createdAt: toIsoTime(view.createdAt),
    warnings: [...(view.replay?.warnings ?? warnings)],
    ...(view.sandbox === true && { sandbox: true }),
  }
}

export function toValidationError(problems: readonly [Problem, ...Problem[]]): ApiError {
  const [{ code, field }] = problems
  const message = problems.map((problem) => problem.message).join('; ')
  return new ApiError(code, message, { param: field, extra: { details: problems } })
}
