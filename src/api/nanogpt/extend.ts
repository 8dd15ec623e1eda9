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
import type { JobView } from '../../jobs/job.ts'
import { type RequestBody, readBodyObject } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { jsonContent } from '../openapi/operation.ts'
import { jobIdSchema, readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { readValidationOptions } from '../requests/validation-options.ts'
import type { RouteDefinition } from '../route-definition.ts'
import {
  type AcceptedJob,
  acceptSubmission,
  replayOrCreate,
  toValidationError,
} from '../submission/accept-submission.ts'
import { submitErrorStatuses, submitHeaders } from '../submission/submission-docs.ts'
import { SubmitResponse } from './schemas.ts'
import { submitRequestBody, toSubmitResponse } from './submit-request-body.ts'

type ExtendResponse = SubmitResponse & { success: true; message: string; eta: number }

/** Extends one of the four clips of a finished job. An earlier version of the route took a source video instead. */
export const extendVideo: RouteDefinition = {
  method: 'POST',
  path: '/generate-video/extend',
  docs: {
    id: 'extendVideo',
    tag: 'Videos',
    summary: 'Extend one of the four clips of a Midjourney job',
    headers: submitHeaders,
    body: jsonContent({
      type: 'object',
      required: ['index'],
      properties: {
        runId: jobIdSchema,
        index: { type: 'integer', minimum: 0, maximum: 3, description: 'Which clip.' },
        prompt: { type: 'string' },
        motion: { type: 'string' },
      },
    }),
    errorStatuses: submitErrorStatuses,
  },
  code: 202,
  response: SubmitResponse,
  rateLimit: 'extend',
  respond: async (deps, request) => {
    const body = readBodyObject(request.body)
    const hasSourceVideo = body.model !== undefined && normalizeFields(body).spellings.has('video')
    return hasSourceVideo ? submitRequestBody(deps, request, body) : extendClip(deps, request, body)
  },
}

async function extendClip(
  deps: ApiDeps,
  request: FastifyRequest,
  body: RequestBody,
): Promise<ExtendResponse> {
  const id = readJobId(body)
  const accepted = await replayOrCreate(deps, request, request.body, () =>
    createExtension(deps, request, id, body),
  )
  return {
    ...toSubmitResponse(accepted),
    success: true,
    message: `Clip ${readClipIndex(body)} of ${id} is being extended`,
    eta: findModel(accepted.job.model)?.typicalSeconds ?? 0,
  }
}

async function createExtension(
  deps: ApiDeps,
  request: FastifyRequest,
  id: string,
  body: RequestBody,
): Promise<AcceptedJob> {
  const parent = await requireOwnJob(deps.engine, request, id)
  const model = requireExtendable(parent)
  const clip = readClipIndex(body)
  const upstreamTaskId = text(await deps.engine.readTaskReference(id), 'id')
  if (upstreamTaskId === undefined)
    throw new ApiError('conflict', `The upstream's task of ${id} is no longer known`)
  const { input, ...validated } = validateExtension(model, body, readValidationOptions(deps, request))
  const job = { ...validated, model, input: { ...input, extendTask: upstreamTaskId, extendIndex: clip } }
  // An extension has the length and resolution of the clip, so it costs the same.
  return acceptSubmission(
    deps,
    request,
    { ...job, body: request.body },
    { usd: parent.costUsd, warnings: [] },
  )
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

/** An extension takes a prompt and a motion; its image is that of the clip. */
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
