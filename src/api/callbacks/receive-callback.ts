import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import type { RouteDefinition } from '../route-definition.ts'

const callbackParams = Type.Object({ id: Type.String(), secret: Type.String() })

/** Where upstreams call back: one address per job, which nobody can guess. What they say only brings the next poll forward. */
export const receiveCallback: RouteDefinition<{ params: typeof callbackParams }> = {
  method: 'POST',
  path: '/hooks/:id/:secret',
  params: callbackParams,
  isPublic: true,
  quiet: true,
  cleanBody: true,
  // Whoever does not know the secret has no body read.
  onRequest: async ({ isCallbackAddress }, request) => {
    const { id, secret } = request.params
    request.jobId = id
    if (!(await isCallbackAddress(id, secret))) throw callbackNotFoundError(request)
  },
  respond: async (deps, request) => {
    const { id, secret } = request.params
    if (await deps.receiveCallback(id, secret, request.body)) return { received: true }
    throw callbackNotFoundError(request)
  },
}

function callbackNotFoundError(request: FastifyRequest): Error {
  return request.server.countFailure.callback(request, new ApiError('not_found', 'There is no such job'))
}
