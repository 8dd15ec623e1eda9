import type { FastifyRequest } from 'fastify'
import { at, text } from '../../../providers/reader.ts'
import { type Admitted, admitTo, type Validation } from '../../catalogue/admit.ts'
import { fold } from '../../catalogue/fold.ts'
import { findModel } from '../../catalogue/index.ts'
import type { Model } from '../../catalogue/model.ts'
import type { State, View } from '../../engine/job.ts'
import { ApiError } from '../errors.ts'
import { validationOf } from '../handling.ts'
import { firstAnswer } from '../idempotency.ts'
import type { AppParts } from '../parts.ts'
import { failureOf } from './failure.ts'
import { readJobId, readJobIdAs } from './job-id.ts'
import { addressOf } from './links.ts'
import { ownJob } from './own-job.ts'
import type { Submitted } from './schemas.ts'
import { outputOf } from './status.ts'
import { answerOf, type Body, readObject, refusalOf, submit, take } from './submit.ts'

type Extended = Submitted & { success: true; message: string; eta: number }

/** Goes on from one of the four clips of a finished job. An earlier version of the route took a source video instead. */
export async function extend(parts: AppParts, request: FastifyRequest): Promise<Submitted | Extended> {
  const body = readObject(request.body)
  if (body.model !== undefined && fold(body).given.has('video')) return submit(parts, request, body)
  const id = readJobId(body)
  const first = await firstAnswer(parts, request)
  if (first !== undefined) return extended(answerOf(first), body)
  const parent = await ownJob(parts.engine, request, id)
  const model = extendable(parent)
  const clip = clipIndex(body)
  const task = text(await parts.engine.ticket(id), 'id')
  if (task === undefined) throw new ApiError('conflict', `The upstream's task of ${id} is no longer known`)
  const { input, ...admitted } = wishes(model, body, validationOf(parts, request))
  const order = { ...admitted, model, input: { ...input, extendTask: task, extendIndex: clip } }
  // An extension is as long and as fine as the clip, so it costs what the clip did.
  return extended(await take(parts, request, order, { usd: parent.costUsd, warnings: [] }), body)
}

function extended(submitted: Submitted, body: Body): Extended {
  return {
    ...submitted,
    success: true,
    message: `Clip ${clipIndex(body)} of ${readJobId(body)} is being extended`,
    eta: findModel(submitted.model)?.typicalSeconds ?? 0,
  }
}

/** What the words of Midjourney's own status are; ids of other services read as unknown, which is no error. */
export async function midjourneyStatus({ engine, config }: AppParts, request: FastifyRequest) {
  const id = readJobIdAs('task_id', request.body)
  if ((await engine.status(id)) === undefined) return { status: 'unknown', task_id: id }
  const view = await ownJob(engine, request, id)
  const output = outputOf(view, addressOf(request, config.publicUrl))
  const failure = failureOf(view)
  return {
    status: words[view.state],
    task_id: id,
    progress: `${view.progress}%`,
    ...(output !== undefined && { imageUrl: output.url, videoUrl: output.url, videoUrls: output.videoUrls }),
    ...(failure !== undefined && { failReason: failure.message }),
  }
}

const words: Readonly<Record<State, string>> = {
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

function extendable({ id, model: named, state }: View): Model {
  const model = findModel(named)
  if (model?.id !== 'midjourney-video') {
    const message = `Only jobs of \`midjourney-video\` can be extended; ${id} is one of \`${named}\``
    throw new ApiError('invalid_parameter_value', message, { param: 'runId' })
  }
  if (state === 'succeeded') return model
  throw new ApiError('conflict', `The job ${id} has not succeeded, so there is no clip to extend`)
}

function clipIndex(body: Body): number {
  const told = at(body, 'index')
  if (told === undefined || told === null || told === '') {
    throw new ApiError('missing_required_parameter', 'Which clip is needed: `index`, 0 to 3', {
      param: 'index',
    })
  }
  if (/^\s*[0-3]\s*$/.test(String(told))) return Number(told)
  throw new ApiError('invalid_parameter_value', '`index` must be one of 0, 1, 2, 3', { param: 'index' })
}

/** How the clip is to go on; the picture is the clip's own. */
function wishes(model: Model, { prompt, motion, conversationUUID }: Body, validation: Validation): Admitted {
  const { prompt: promptRule = {}, motion: motionRule = {} } = model.fields
  const continued = { ...model, fields: { prompt: promptRule, motion: motionRule } }
  const admitted = admitTo(continued, { prompt, motion, conversationUUID }, validation)
  if (!admitted.ok) throw refusalOf(admitted.problems)
  return admitted
}
