import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'

const config = { quiet: true }

/** `/health`: the process answers. `/ready`: it can take jobs. */
export function health(app: FastifyInstance, parts: Pick<AppParts, 'ready'>): void {
  app.get('/health', { config }, async () => ({ status: 'ok' }))
  app.get('/ready', { config }, async () => {
    if (await parts.ready()) return { status: 'ready' }
    throw new ApiError('service_unavailable', 'The job store does not answer', {
      headers: { 'Retry-After': '1' },
    })
  })
}
