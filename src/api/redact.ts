import type { FastifyRequest } from 'fastify'
import { keysOf } from './caller.ts'

/** Keys shorter than this are dummies; taking them out would tear up ordinary words. */
const shortestSecret = 8

const keyShapes = /\bsk-[\w-]{8,}/g
const hookSecrets = /(\/hooks\/[^/\s]+\/)[^/?#\s]+/g
const keyParameters = /([?&](?:x-)?(?:api[-_]?key|key|token|access_token|authorization)=)[^&#\s]+/gi

/** Takes everything out of a text that is, or looks like, the key this request came with. */
export function redactFor(request: FastifyRequest): (text: string) => string {
  const keys = keysOf(request).filter((key) => key.length >= shortestSecret)
  return (text) =>
    keys
      .reduce((rest, key) => rest.replaceAll(key, '[redacted]'), text)
      .replace(keyParameters, '$1[redacted]')
      .replace(keyShapes, '[redacted]')
      .replace(hookSecrets, '$1[redacted]')
}
