import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'

const config = { quiet: true }

/** `/health`: the process answers. `/ready`: it can take jobs, and keep what they make. */
export function health(app: FastifyInstance, parts: HealthDeps): void {
  app.get('/health', { config }, async () => ({ status: 'ok' }))
  app.get('/ready', { config }, async () => {
    if (!(await parts.ready())) throw notReady('The job store does not answer')
    const fault = parts.storage.fault()
    if (fault !== undefined) throw notReady(fault.isFull ? 'The disk is full' : 'File storage is unavailable')
    const noUpstream = parts.upstreams?.fault()
    if (noUpstream !== undefined) throw notReady(noUpstream)
    const warnings = (await parts.upstreams?.warnings()) ?? []
    return { status: 'ready', ...(warnings.length > 0 && { warnings }) }
  })
}

type HealthDeps = Pick<AppParts, 'ready' | 'upstreams'> & { storage: Pick<AppParts['storage'], 'fault'> }

function notReady(message: string): ApiError {
  return new ApiError('service_unavailable', message, { headers: { 'Retry-After': '1' } })
}
