import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { objectSchema, okResponse, textSchema } from '../openapi/response-schemas.ts'
import type { RequestSchemas, RouteDefinition } from '../route-definition.ts'

export type HealthDeps = Pick<ApiDeps, 'isReady' | 'upstreams'> & {
  storage: Pick<ApiDeps['storage'], 'fault'>
}

/** Whether the process can take jobs, and keep what they make. */
export const checkReadiness: RouteDefinition<RequestSchemas, HealthDeps> = {
  method: 'GET',
  path: '/ready',
  docs: {
    id: 'ready',
    tag: 'Operation',
    summary: 'Readiness',
    replies: okResponse('The gateway accepts jobs.', objectSchema({ status: textSchema })),
  },
  isPublic: true,
  quiet: true,
  respond: async ({ isReady, storage, upstreams }) => {
    if (!(await isReady())) throw notReadyError('Redis is unavailable')
    const fault = storage.fault()
    if (fault !== undefined)
      throw notReadyError(fault.isFull ? 'The disk is full' : 'File storage is unavailable')
    const upstreamFault = upstreams?.problem()
    if (upstreamFault !== undefined) throw notReadyError(upstreamFault)
    const warnings = (await upstreams?.warnings()) ?? []
    return { status: 'ready', ...(warnings.length > 0 && { warnings }) }
  },
}

function notReadyError(message: string): ApiError {
  return new ApiError('service_unavailable', message, { headers: { 'Retry-After': '1' } })
}
