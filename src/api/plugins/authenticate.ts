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
    /** Whose request it is; empty on routes that ask for no key. */
    owner: string
    /** Submits a minute, where the caller has a number of its own. */
    rpm: number | undefined
  }
}

/** Every key that a request brings, the one that counts first. */
export function apiKeysIn({ headers }: Pick<FastifyRequest, 'headers'>): readonly string[] {
  const { authorization, 'x-api-key': apiKeyHeader = [] } = headers
  const bearer = authorization === undefined ? [] : (/^\s*bearer\s+(.*)$/is.exec(authorization)?.[1] ?? [])
  return [apiKeyHeader, bearer]
    .flat()
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

/** A hook that lets a request pass only for somebody who is known. */
export function createAuthenticationHook(accounts: Authenticator) {
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
      Promise.resolve(accounts.readAccessMode()).then((access) => {
        if (caller !== undefined && access === 'off') accept(caller)
        else reject(access)
      }, done)
    }
    const caller = accounts.identify(apiKey)
    // A hook that waits for nothing costs no turn of the queue of promises.
    if (caller instanceof Promise) caller.then(decide, done)
    else decide(caller)
  }
}

function invalidKeyError(reason = 'The API key is not valid'): ApiError {
  return new ApiError('invalid_api_key', reason)
}

function missingKeyError(reason = 'An API key is needed, as x-api-key or Authorization: Bearer'): ApiError {
  return new ApiError('missing_api_key', reason)
}
