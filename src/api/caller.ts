import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Accounts, Caller } from '../accounts/open.ts'
import { ApiError } from './errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request it is; empty on routes that ask for no key. */
    owner: string
    /** Submits a minute, where the caller has a number of its own. */
    rpm: number | undefined
  }
}

/** Every key that a request brings, the one that counts first. */
export function keysOf({ headers }: FastifyRequest): readonly string[] {
  const { authorization, 'x-api-key': told = [] } = headers
  const bearer = authorization === undefined ? [] : (/^\s*bearer\s+(.*)$/is.exec(authorization)?.[1] ?? [])
  return [told, bearer]
    .flat()
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

/** A hook that lets a request pass only for somebody who is known. */
export function identify(accounts: Accounts) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    const [key] = keysOf(request)
    const decide = (caller: Caller | undefined) => {
      if (caller === undefined) return done(key === undefined ? keyMissing() : keyUnknown())
      request.owner = caller.owner
      request.rpm = caller.rpm
      done()
    }
    const caller = accounts.identify(key)
    // A hook that waits for nothing costs no turn of the queue of promises.
    if (caller instanceof Promise) caller.then(decide, done)
    else decide(caller)
  }
}

function keyUnknown(): ApiError {
  return new ApiError('invalid_api_key', 'The API key is not valid')
}

function keyMissing(): ApiError {
  return new ApiError('missing_api_key', 'An API key is needed, as x-api-key or Authorization: Bearer')
}
