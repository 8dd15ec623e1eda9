import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'

type Params = { id: string; secret: string }

/** Where upstreams call back: one address a job, which nobody can guess. What they say only brings the next poll forward. */
export function hooks(app: FastifyInstance, { hint, isCallback }: Deps): void {
  // Whoever does not know the secret has no body read.
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    const { id, secret } = request.params as Params
    if (!(await isCallback(id, secret))) throw notFound(request)
  }
  app.post<{ Params: Params }>(
    '/hooks/:id/:secret',
    { config: { quiet: true, cleanBody: true }, onRequest },
    async (request) => {
      const { params, body } = request
      if (await hint(params.id, params.secret, body)) return { received: true }
      throw notFound(request)
    },
  )
}

type Deps = Pick<AppParts, 'hint' | 'isCallback'>

function notFound(request: FastifyRequest): Error {
  return request.server.countFailure.callback(request, new ApiError('not_found', 'There is no such job'))
}
