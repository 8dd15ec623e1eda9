import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'

type CallbackParams = { id: string; secret: string }

/** Where upstreams call back: one address a job, which nobody can guess. What they say only brings the next poll forward. */
export function registerCallbackRoutes(
  app: FastifyInstance,
  { receiveCallback, isCallbackAddress }: Deps,
): void {
  // Whoever does not know the secret has no body read.
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    const { id, secret } = request.params as CallbackParams
    request.jobId = id
    if (!(await isCallbackAddress(id, secret))) throw callbackNotFoundError(request)
  }
  app.post<{ Params: CallbackParams }>(
    '/hooks/:id/:secret',
    { config: { quiet: true, cleanBody: true }, onRequest },
    async (request) => {
      const { params, body } = request
      if (await receiveCallback(params.id, params.secret, body)) return { received: true }
      throw callbackNotFoundError(request)
    },
  )
}

type Deps = Pick<ApiDeps, 'receiveCallback' | 'isCallbackAddress'>

function callbackNotFoundError(request: FastifyRequest): Error {
  return request.server.countFailure.callback(request, new ApiError('not_found', 'There is no such job'))
}
