import type { FastifyRequest } from 'fastify'
import { at, text } from '../../../providers/reader.ts'
import type { Model } from '../../catalogue/model.ts'
import { findModel } from '../../catalogue/models/index.ts'
import { normalizeFields } from '../../catalogue/validation/normalize.ts'
import {
  type ValidationOptions,
  type ValidRequest,
  validateForModel,
} from '../../catalogue/validation/validate.ts'
import type { JobState, JobView } from '../../jobs/job.ts'
import { type RequestBody, readBodyObject } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { findReplay } from '../plugins/idempotency.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { readJobId, readJobIdNamed } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { readValidationOptions } from '../requests/validation-options.ts'
import { acceptSubmission, submitVideo, toSubmitResponse, toValidationError } from './accept-submission.ts'
import { toJobFailure } from './job-failure.ts'
import type { SubmitResponse } from './schemas.ts'
import { toOutput } from './status-body.ts'

type ExtendResponse = SubmitResponse & { success: true; message: string; eta: number }

/** Goes on from one of the four clips of a finished job. An earlier version of the route took a source video instead. */
export async function extendVideo(
  deps: ApiDeps,
  request: FastifyRequest,
): Promise<SubmitResponse | ExtendResponse> {
  const body = readBodyObject(request.body)
  if (body.model !== undefined && normalizeFields(body).spellings.has('video'))
    return submitVideo(deps, request, body)
  const id = readJobId(body)
  const replay = await findReplay(deps, request)
  if (replay !== undefined) return toExtendResponse(toSubmitResponse(replay), body)
  const parent = await requireOwnJob(deps.engine, request, id)
  const model = requireExtendable(parent)
  const clip = readClipIndex(body)
  const upstreamTaskId = text(await deps.engine.readTicket(id), 'id')
  if (upstreamTaskId === undefined)
    throw new ApiError('conflict', `The upstream's task of ${id} is no longer known`)
  const { input, ...admitted } = validateExtension(model, body, readValidationOptions(deps, request))
  const job = { ...admitted, model, input: { ...input, extendTask: upstreamTaskId, extendIndex: clip } }
  // An extension is as long and as fine as the clip, so it costs what the clip did.
  return toExtendResponse(
    await acceptSubmission(
      deps,
      request,
      { ...job, body: request.body },
      { usd: parent.costUsd, warnings: [] },
    ),
    body,
  )
}

function toExtendResponse(submitted: SubmitResponse, body: RequestBody): ExtendResponse {
  return {
    ...submitted,
    success: true,
    message: `Clip ${readClipIndex(body)} of ${readJobId(body)} is being extended`,
    eta: findModel(submitted.model)?.typicalSeconds ?? 0,
  }
}

/** What the words of Midjourney's own status are; ids of other services read as unknown, which is no error. */
export async function getMidjourneyStatus({ engine, config }: ApiDeps, request: FastifyRequest) {
  const id = readJobIdNamed('task_id', request.body)
  if ((await engine.readStatus(id)) === undefined) return { status: 'unknown', task_id: id }
  const view = await requireOwnJob(engine, request, id)
  const output = toOutput(view, resolveBaseUrl(request, config.publicUrl))
  const failure = toJobFailure(view)
  return {
    status: midjourneyStatuses[view.state],
    task_id: id,
    progress: `${view.progress}%`,
    ...(output !== undefined && { imageUrl: output.url, videoUrl: output.url, videoUrls: output.videoUrls }),
    ...(failure !== undefined && { failReason: failure.message }),
  }
}

const midjourneyStatuses: Readonly<Record<JobState, string>> = {
  pending: 'NOT_START',
  submitting: 'NOT_START',
  queued: 'submitted',
  processing: 'IN_PROGRESS',
  generating: 'IN_PROGRESS',
  delivering: 'IN_PROGRESS',
  succeeded: 'SUCCESS',
  failed: 'FAILED',
  canceled: 'FAILED',
}

function requireExtendable({ id, model: modelId, state }: JobView): Model {
  const model = findModel(modelId)
  if (model?.id !== 'midjourney-video') {
    const message = `Only jobs of \`midjourney-video\` can be extended; ${id} is one of \`${modelId}\``
    throw new ApiError('invalid_parameter_value', message, { param: 'runId' })
  }
  if (state === 'succeeded') return model
  throw new ApiError('conflict', `The job ${id} has not succeeded, so there is no clip to extend`)
}

function readClipIndex(body: RequestBody): number {
  const index = at(body, 'index')
  if (index === undefined || index === null || index === '') {
    throw new ApiError('missing_required_parameter', 'Which clip is needed: `index`, 0 to 3', {
      param: 'index',
    })
  }
  if (/^\s*[0-3]\s*$/.test(String(index))) return Number(index)
  throw new ApiError('invalid_parameter_value', '`index` must be one of 0, 1, 2, 3', { param: 'index' })
}

/** How the clip is to go on; the picture is the clip's own. */
function validateExtension(
  model: Model,
  { prompt, motion, conversationUUID }: RequestBody,
  validation: ValidationOptions,
): ValidRequest {
  const { prompt: promptRule = {}, motion: motionRule = {} } = model.fields
  const extensionModel = { ...model, fields: { prompt: promptRule, motion: motionRule } }
  const result = validateForModel(extensionModel, { prompt, motion, conversationUUID }, validation)
  if (!result.ok) throw toValidationError(result.problems)
  return result
}
