import type { FastifyInstance, FastifyRequest } from 'fastify'
import { shorten } from '../../text/text-limits.ts'
import { ApiError } from '../errors.ts'

/** Replies 405 to a known path with another method, otherwise 404. Must be registered before the routes, to collect them. */
export function registerNotFoundHandler(app: FastifyInstance): void {
  const methodsByUrl = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ method, url }) => {
    if (url === '*') return
    const urlMethods = methodsByUrl.get(url) ?? new Set()
    for (const knownMethod of [method].flat()) urlMethods.add(knownMethod)
    methodsByUrl.set(url, urlMethods)
  })
  const throwNotFound = ({ method, url }: FastifyRequest): never => {
    const path = url.replace(/\?.*/s, '').replace(/\/{2,}/g, '/')
    const route = [...methodsByUrl].find(([pattern]) => matches(pattern, path.replace(/(?<=.)\/$/, '')))
    if (route === undefined || route[1].has(method))
      throw new ApiError('not_found', `Not found: ${shorten(path, 200)}`)
    const allow = [...route[1], 'OPTIONS'].join(', ')
    throw new ApiError(
      'method_not_allowed',
      `Method ${method} not allowed at ${shorten(path, 200)}; use ${allow}`,
      {
        headers: { Allow: allow },
      },
    )
  }
  // Before the body is read: a client should not upload 32 MB to a wrong path.
  app.addHook('onRequest', async (request) => {
    if (request.is404) throwNotFound(request)
  })
  app.setNotFoundHandler(throwNotFound)
}

function matches(pattern: string, path: string): boolean {
  if (!/[:*]/.test(pattern)) return pattern === path
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[^/\\]+/g, '[^/]+')
    .replace(/\*/g, '.*')
  return new RegExp(`^${source}$`).test(path)
}
