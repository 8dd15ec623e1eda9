import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import type { Model } from '../../catalogue/model.ts'
import { findModel, models } from '../../catalogue/models/index.ts'
import type { JobView } from '../../jobs/job.ts'
import { type RequestBody, readBodyObject } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { jsonContent } from '../openapi/operation.ts'
import { textSchema } from '../openapi/response-schemas.ts'
import { resolveBaseUrl, toAbsoluteUrl } from '../requests/base-url.ts'
import { jobParams } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { type AcceptedJob, acceptSubmission, replayOrCreate } from '../submission/accept-submission.ts'
import { submitErrorStatuses, submitHeaders } from '../submission/submission-docs.ts'
import { readAcceptedVideo } from './read-own-video.ts'
import { OpenaiVideo } from './schemas.ts'
import { validateVideo } from './validate-video.ts'
import { videoBody } from './video-body.ts'

/** Makes a new video from a finished one. The model is the finished one's own, unless `model` names another. */
export const remixVideo: RouteDefinition<{ params: typeof jobParams }> = {
  method: 'POST',
  path: '/videos/:id/remix',
  docs: {
    id: 'remixVideo',
    tag: 'OpenAI Videos',
    summary: 'Create a video from a finished one',
    headers: submitHeaders,
    body: jsonContent({ ...videoBody, properties: { prompt: textSchema, model: textSchema } }),
    errorStatuses: submitErrorStatuses,
    hasOpenaiErrors: true,
  },
  response: OpenaiVideo,
  rateLimit: 'submit',
  params: jobParams,
  respond: async (deps, request) => {
    const { id } = request.params
    const body = readBodyObject(request.body)
    const accepted = await replayOrCreate(deps, request, { ...body, remixed: id }, () =>
      acceptRemix(deps, request, id, body),
    )
    return readAcceptedVideo(deps, request, accepted)
  },
}

async function acceptRemix(
  deps: ApiDeps,
  request: FastifyRequest,
  sourceId: string,
  body: RequestBody,
): Promise<AcceptedJob> {
  const source = await requireOwnJob(deps.engine, request, sourceId)
  const model = requireRemixModel(text(body, 'model') ?? source.model)
  const videoUrl = requireVideoUrl(source)
  const video = toAbsoluteUrl(resolveBaseUrl(request, deps.config.publicUrl), videoUrl)
  const { duration } = await deps.engine.readInput(sourceId)
  const durationField = duration !== undefined &&
    model.fields.videoDuration !== undefined && { videoDuration: duration }
  const defaults = durationField === false ? {} : durationField
  const { validated } = validateVideo(
    deps,
    request,
    { ...body, model: model.id },
    { before: defaults, after: { video } },
  )
  const fileName = /^\/files\/(.+)$/.exec(videoUrl)?.[1]
  const input = fileName === undefined ? validated.input : { ...validated.input, video: `result:${fileName}` }
  return acceptSubmission(deps, request, {
    ...validated,
    input,
    body: request.body,
    remixedFrom: sourceId,
  })
}

function requireRemixModel(id: string): Model {
  const model = findModel(id)
  if (model !== undefined && canRemix(model)) return model
  const remixModels = models.filter(canRemix).map((candidate) => `\`${candidate.id}\``)
  const message = `\`${id.slice(0, 60)}\` makes no video from another one; \`model\` may name one that does: ${remixModels.join(', ')}`
  throw new ApiError('invalid_parameter_value', message, { param: 'model' })
}

/** Whether a model makes a video of another one and words alone. */
function canRemix({ fields }: Model): boolean {
  const others = Object.entries(fields).filter(([name]) => name !== 'video' && name !== 'prompt')
  const isEnough = others.every(([, rule]) => rule.required !== true)
  return fields.video !== undefined && fields.prompt !== undefined && isEnough
}

function requireVideoUrl({ id, state, videos }: JobView): string {
  const url = videos?.[0]?.url
  if (state === 'succeeded' && url !== undefined) return url
  throw new ApiError('conflict', `The video ${id} is not finished, so there is nothing to remix`)
}
