import type { FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import type { View } from '../../engine/job.ts'
import { ApiError } from '../errors.ts'

/** The job under an id, for its owner only. */
export async function ownJob(engine: Engine, request: FastifyRequest, id: string): Promise<View> {
  const found = await engine.status(id)
  if (found === undefined) throw noSuchJob(id)
  if (found.owner !== request.owner) throw new ApiError('forbidden', `The job ${id} belongs to another key`)
  return found.view
}

export function noSuchJob(id: string): ApiError {
  return new ApiError('not_found', `There is no job ${id}`)
}
