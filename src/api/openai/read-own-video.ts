import type { FastifyRequest } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import type { AcceptedJob } from '../submission/accept-submission.ts'
import { toOpenaiVideo } from './openai-video.ts'
import type { OpenaiVideo } from './schemas.ts'

/** A job of the caller. */
export async function readOwnVideo(
  { engine, config }: ApiDeps,
  request: FastifyRequest,
  id: string,
): Promise<OpenaiVideo> {
  const [view, input] = await Promise.all([requireOwnJob(engine, request, id), engine.readInput(id)])
  return toOpenaiVideo(view, input, config.resultsKeptMs)
}

/** A new job, with warnings about values that were adjusted. */
export async function readAcceptedVideo(
  deps: ApiDeps,
  request: FastifyRequest,
  { job, warnings }: AcceptedJob,
): Promise<OpenaiVideo> {
  const video = await readOwnVideo(deps, request, job.id)
  return { ...video, ...(warnings.length > 0 && { warnings: [...warnings] }) }
}
