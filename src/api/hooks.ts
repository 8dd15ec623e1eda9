import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'

type Params = { id: string; secret: string }

/** Where upstreams call back: one address a job, which nobody can guess. What they say only brings the next poll forward. */
export function hooks(app: FastifyInstance, { hint, isCallback }: Deps): void {
  // Whoever does not know the secret has no body read.
  const onRequest = async ({ params }: { params: unknown }): Promise<void> => {
    const { id, secret } = params as Params
    if (!(await isCallback(id, secret))) throw notFound()
  }
  app.post<{ Params: Params }>(
    '/hooks/:id/:secret',
    { config: { quiet: true, cleanBody: true }, onRequest },
    async ({ params, body }) => {
      if (await hint(params.id, params.secret, body)) return { received: true }
      throw notFound()
    },
  )
}

type Deps = Pick<AppParts, 'hint' | 'isCallback'>

function notFound(): ApiError {
  return new ApiError('not_found', 'There is no such job')
}
