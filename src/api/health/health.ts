import type { FastifyInstance } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'

const routeConfig = { quiet: true }

/** `/health`: the process answers. `/ready`: it can take jobs, and keep what they make. */
export function registerHealthRoutes(app: FastifyInstance, deps: HealthDeps): void {
  app.get('/health', { config: routeConfig }, async () => ({ status: 'ok' }))
  app.get('/ready', { config: routeConfig }, async () => {
    if (!(await deps.isReady())) throw notReadyError('Redis is unavailable')
    const fault = deps.storage.fault()
    if (fault !== undefined)
      throw notReadyError(fault.isFull ? 'The disk is full' : 'File storage is unavailable')
    const upstreamFault = deps.upstreams?.problem()
    if (upstreamFault !== undefined) throw notReadyError(upstreamFault)
    const warnings = (await deps.upstreams?.warnings()) ?? []
    return { status: 'ready', ...(warnings.length > 0 && { warnings }) }
  })
}

type HealthDeps = Pick<ApiDeps, 'isReady' | 'upstreams'> & { storage: Pick<ApiDeps['storage'], 'fault'> }

function notReadyError(message: string): ApiError {
  return new ApiError('service_unavailable', message, { headers: { 'Retry-After': '1' } })
}
