import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'

/** Where upstreams call back: one address a job, which nobody can guess. What they say only brings the next poll forward. */
export function hooks(app: FastifyInstance, { hint }: Pick<AppParts, 'hint'>): void {
  app.post<{ Params: { id: string; secret: string } }>(
    '/hooks/:id/:secret',
    { config: { quiet: true } },
    async (request) => {
      const { params, body } = request
      if (await hint(params.id, params.secret, body)) return { received: true }
      throw request.server.countFailure.callback(request, new ApiError('not_found', 'There is no such job'))
    },
  )
}
