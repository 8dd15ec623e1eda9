import type { FastifyRequest } from 'fastify'
import type { Engine } from '../../jobs/engine.ts'
import type { JobView } from '../../jobs/job.ts'
import { ApiError } from '../errors.ts'

/** Throws `not_found`, or `forbidden` for a job of another key. */
export async function requireOwnJob(engine: Engine, request: FastifyRequest, id: string): Promise<JobView> {
  request.jobId = id
  const job = await engine.readStatus(id)
  if (job === undefined) throw jobNotFoundError(id)
  if (job.owner !== request.owner) throw new ApiError('forbidden', `The job ${id} belongs to another key`)
  request.modelId = job.view.model
  return job.view
}

export function jobNotFoundError(id: string): ApiError {
  return new ApiError('not_found', `There is no job ${id}`)
}
