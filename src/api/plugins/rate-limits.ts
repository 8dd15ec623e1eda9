import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Redis } from 'ioredis'
import { anonymousCaller } from '../../accounts/access.ts'
import { ApiError } from '../errors.ts'

export type RateLimitOptions = {
  /** Shares the counters among processes; absent: each process counts for itself. */
  redis?: Redis
  /** Prefix of the counters' keys. */
  namespace: string
  /** Requests per minute for a key without a limit of its own. */
  submit: number
  recover: number
  extend: number
  library: number
}

export type RateLimitHooks = Readonly<Record<RateLimitedOperation, onRequestHookHandler>>

/** The limited operations. Status requests are not limited, as clients poll. */
export type RateLimitedOperation = 'submit' | 'recover' | 'extend' | 'library'

/** Hooks that run after authentication. Anonymous callers are not limited. */
export async function createRateLimits(
  app: FastifyInstance,
  options: RateLimitOptions,
): Promise<RateLimitHooks> {
  const { redis, namespace } = options
  await app.register(rateLimit, {
    global: false,
    timeWindow: 60_000,
    nameSpace: namespace,
    // While Redis is unavailable the engine rejects the request with 503.
    skipOnError: true,
    ...(redis !== undefined && { redis }),
  })

  function createHook(name: RateLimitedOperation) {
    const check = app.createRateLimit({
      max: ({ rpm }: FastifyRequest) => (name === 'submit' ? (rpm ?? options.submit) : options[name]),
      keyGenerator: ({ owner }: FastifyRequest) => `${name}:${owner}`,
    })
    const count = async (request: FastifyRequest): Promise<void> => {
      const result = await check(request)
      if (result.isAllowed || !result.isExceeded) return
      const retryAfterSeconds = Math.max(1, result.ttlInSeconds)
      const message = `More than ${result.max} per minute; try again in ${retryAfterSeconds} s`
      throw new ApiError('rate_limit_exceeded', message, {
        headers: { 'Retry-After': String(retryAfterSeconds) },
      })
    }
    const limit: onRequestHookHandler = (request, _reply, done) => {
      if (request.owner === anonymousCaller.owner) done()
      else count(request).then(() => done(), done)
    }
    return limit
  }
  return {
    submit: createHook('submit'),
    recover: createHook('recover'),
    extend: createHook('extend'),
    library: createHook('library'),
  }
}
