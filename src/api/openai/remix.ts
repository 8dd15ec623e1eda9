import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { findModel, models } from '../../catalogue/index.ts'
import type { Model } from '../../catalogue/model.ts'
import type { View } from '../../engine/job.ts'
import { ApiError } from '../errors.ts'
import { absolute, addressOf } from '../nanogpt/links.ts'
import { ownJob } from '../nanogpt/own-job.ts'
import type { Submitted } from '../nanogpt/schemas.ts'
import { type Body, take } from '../nanogpt/submit.ts'
import type { AppParts } from '../parts.ts'
import { validate } from './validate.ts'

/** Makes a new video from a finished one and returns what a submit is answered. The model is the finished one's own, unless `model` names another. */
export async function remix(
  parts: AppParts,
  request: FastifyRequest,
  sourceId: string,
  body: Body,
): Promise<Submitted> {
  const source = await ownJob(parts.engine, request, sourceId)
  const model = remixable(text(body, 'model') ?? source.model)
  const link = finishedVideo(source)
  const video = absolute(addressOf(request, parts.config.publicUrl), link)
  const { duration } = await parts.engine.asked(sourceId)
  const seconds = duration !== undefined &&
    model.fields.videoDuration !== undefined && { videoDuration: duration }
  const before = seconds === false ? {} : seconds
  const { admitted } = validate(parts, request, { ...body, model: model.id }, { before, after: { video } })
  const ours = /^\/files\/(.+)$/.exec(link)?.[1]
  const input = ours === undefined ? admitted.input : { ...admitted.input, video: `result:${ours}` }
  return take(parts, request, { ...admitted, input, remixedFrom: sourceId })
}

function remixable(id: string): Model {
  const model = findModel(id)
  if (model !== undefined && canRemix(model)) return model
  const able = models.filter(canRemix).map((one) => `\`${one.id}\``)
  const message = `\`${id.slice(0, 60)}\` makes no video from another one; \`model\` may name one that does: ${able.join(', ')}`
  throw new ApiError('invalid_parameter_value', message, { param: 'model' })
}

/** Whether a model makes a video of another one and words alone. */
function canRemix({ fields }: Model): boolean {
  const others = Object.entries(fields).filter(([name]) => name !== 'video' && name !== 'prompt')
  const isEnough = others.every(([, rule]) => rule.required !== true)
  return fields.video !== undefined && fields.prompt !== undefined && isEnough
}

function finishedVideo({ id, state, videos }: View): string {
  const link = videos?.[0]?.url
  if (state === 'succeeded' && link !== undefined) return link
  throw new ApiError('conflict', `The video ${id} is not finished, so there is nothing to remix`)
}
