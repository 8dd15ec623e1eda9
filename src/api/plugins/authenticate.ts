import type { FastifyReply, FastifyRequest } from 'fastify'
import { type AccessMode, type Authenticator, anonymousCaller, type Caller } from '../../accounts/access.ts'
import { explainLock, type KeyHelp } from '../../accounts/key-messages.ts'
import { ApiError } from '../errors.ts'
import { isLocalClient } from '../requests/forwarded.ts'

declare module 'fastify' {
  interface FastifyInstance {
    keyHelp: KeyHelp
  }
  interface FastifyRequest {
    /** The account that the request belongs to; empty on routes without authentication. */
    owner: string
    /** Submits per minute, where the key has a limit of its own. */
    rpm: number | undefined
  }
}

/** The API keys in the headers of a request; the first one is used. */
export function apiKeysIn({ headers }: Pick<FastifyRequest, 'headers'>): readonly string[] {
  const { authorization, 'x-api-key': apiKeyHeader = [] } = headers
  const bearer = authorization === undefined ? [] : (/^\s*bearer\s+(.*)$/is.exec(authorization)?.[1] ?? [])
  return [apiKeyHeader, bearer]
    .flat()
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

/** A hook that rejects requests without a valid API key, where one is required. */
export function createAuthenticationHook(authenticator: Authenticator) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    const [apiKey] = apiKeysIn(request)
    const reject = (access: AccessMode) => {
      const reason = explainLock(access, request.server.keyHelp)
      if (apiKey === undefined) return done(missingKeyError(reason))
      done(request.server.countFailure.key(request, invalidKeyError(reason)))
    }
    const accept = (caller: Caller) => {
      request.owner = caller.owner
      request.rpm = caller.rpm
      done()
    }
    const decide = (caller: Caller | undefined) => {
      if (caller !== undefined && (caller !== anonymousCaller || isLocalClient(request)))
        return accept(caller)
      Promise.resolve(authenticator.readAccessMode()).then((access) => {
        if (caller !== undefined && access === 'off') accept(caller)
        else reject(access)
      }, done)
    }
    const caller = authenticator.identify(apiKey)
    // Synchronous where the caller is cached: a promise would cost every request a turn of the microtask queue.
    if (caller instanceof Promise) caller.then(decide, done)
    else decide(caller)
  }
}

function invalidKeyError(reason = 'The API key is not valid'): ApiError {
  return new ApiError('invalid_api_key', reason)
}

function missingKeyError(reason = 'Missing API key (x-api-key or Authorization: Bearer)'): ApiError {
  return new ApiError('missing_api_key', reason)
}
