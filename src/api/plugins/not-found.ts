import type { FastifyInstance, FastifyRequest } from 'fastify'
import { shorten } from '../../text/text-limits.ts'
import { ApiError } from '../errors.ts'

/** Lets a path's other methods be told apart from a path that does not exist. Registers first, so that it sees every route. */
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
      throw new ApiError('not_found', `There is nothing at ${shorten(path, 200)}`)
    const allow = [...route[1], 'OPTIONS'].join(', ')
    throw new ApiError(
      'method_not_allowed',
      `${method} is not possible at ${shorten(path, 200)}; it takes ${allow}`,
      {
        headers: { Allow: allow },
      },
    )
  }
  // Before the body is read: nobody uploads 32 MB to be told that the path is wrong.
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
