import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Redis } from 'ioredis'
import { anonymous } from '../accounts/open.ts'
import { ApiError } from './errors.ts'

export type LimitParts = {
  /** Counts for all processes; absent: each one counts for itself. */
  redis?: Redis
  /** Begins the names of the counters. */
  namespace: string
  /** Requests a minute for a key that has no number of its own. */
  submit: number
  recover: number
  extend: number
  library: number
}

export type Limits = Readonly<Record<Limited, onRequestHookHandler>>

/** What is limited. A status never is: clients ask for it all the time. */
export type Limited = 'submit' | 'recover' | 'extend' | 'library'

/** Hooks that come after the one that identifies. Whoever is nobody in particular is not limited. */
export async function createLimits(app: FastifyInstance, parts: LimitParts): Promise<Limits> {
  const { redis, namespace } = parts
  await app.register(rateLimit, {
    global: false,
    timeWindow: 60_000,
    nameSpace: namespace,
    // Without Redis the engine refuses by itself, with the right words.
    skipOnError: true,
    ...(redis !== undefined && { redis }),
  })

  function hook(name: Limited) {
    const check = app.createRateLimit({
      max: ({ rpm }: FastifyRequest) => (name === 'submit' ? (rpm ?? parts.submit) : parts[name]),
      keyGenerator: ({ owner }: FastifyRequest) => `${name}:${owner}`,
    })
    const count = async (request: FastifyRequest): Promise<void> => {
      const found = await check(request)
      if (found.isAllowed || !found.isExceeded) return
      const seconds = Math.max(1, found.ttlInSeconds)
      const message = `More than ${found.max} a minute; try again in ${seconds} s`
      throw new ApiError('rate_limit_exceeded', message, { headers: { 'Retry-After': String(seconds) } })
    }
    const limit: onRequestHookHandler = (request, _reply, done) => {
      if (request.owner === anonymous.owner) done()
      else count(request).then(() => done(), done)
    }
    return limit
  }
  return {
    submit: hook('submit'),
    recover: hook('recover'),
    extend: hook('extend'),
    library: hook('library'),
  }
}
