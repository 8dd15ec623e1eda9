import type { FastifyRequest } from 'fastify'
import type { Field } from '../../../providers/input.ts'
import { JobRefused } from '../../accounts/check-account.ts'
import type { JobPrice } from '../../accounts/job-price.ts'
import { sentNameOf } from '../../catalogue/validation/normalize.ts'
import type { Problem, ValidRequest } from '../../catalogue/validation/validate.ts'
import type { CreatedJob } from '../../jobs/engine.ts'
import { RecordTooLarge } from '../../jobs/store/record-size.ts'
import { hasFilesToStore, type StoredInput } from '../../media/inputs/store-input.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { toRecordTooLargeError } from '../plugins/error-handler.ts'
import { findReplay, recordCreatedJob } from '../plugins/idempotency.ts'
import { createRequestRedactor } from '../plugins/redact-request.ts'
import { checkInputLimits, shortenWarnings } from '../requests/input-limits.ts'
import { createJobId } from '../requests/job-id.ts'
import { readJobWebhook } from '../requests/read-webhook.ts'
import {
  findUpstreams,
  type OrderedUpstreams,
  orderUpstreams,
  publicLinkRequiredError,
} from './choose-upstreams.ts'

/** A job that a submit created or repeated. `warnings`: fields that were ignored, and values that were replaced. */
export type AcceptedJob = { job: CreatedJob; warnings: readonly string[] }

/** Returns the job of an earlier request with the same `Idempotency-Key` and body, or else calls `create`. */
export async function replayOrCreate(
  deps: ApiDeps,
  request: FastifyRequest,
  body: unknown,
  create: () => Promise<AcceptedJob>,
): Promise<AcceptedJob> {
  const replay = await findReplay(deps, request, body)
  return replay === undefined ? create() : toAcceptedJob(replay)
}

/** Creates the job of a validated request: chooses its upstreams, stores its media and reserves its price. Errors name fields as `body` spells them. */
export async function acceptSubmission(
  deps: ApiDeps,
  request: FastifyRequest,
  validated: ValidRequest & { body: unknown; remixedFrom?: string },
  agreedPrice?: JobPrice,
): Promise<AcceptedJob> {
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
  return toAcceptedJob(recordCreatedJob(request, accepted), allWarnings)
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
    // A file that cannot be removed now is removed with the other expired inputs.
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

function toAcceptedJob(job: CreatedJob, warnings: readonly string[] = []): AcceptedJob {
  return { job, warnings: job.replay?.warnings ?? warnings }
}

export function toValidationError(problems: readonly [Problem, ...Problem[]]): ApiError {
  const [{ code, field }] = problems
  const message = problems.map((problem) => problem.message).join('; ')
  return new ApiError(code, message, { param: field, extra: { details: problems } })
}
