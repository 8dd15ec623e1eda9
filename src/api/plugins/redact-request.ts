import type { FastifyRequest } from 'fastify'
import { apiKeysIn } from './authenticate.ts'

/** Shorter keys are dummies; removing them would damage ordinary words. */
const minSecretCharacters = 8

const keyPattern = /\bsk-[\w-]{8,}/g
const callbackSecretPattern = /(\/hooks\/[^/\s]+\/)[^/?#\s]+/g
const keyParameterPattern = /([?&](?:x-)?(?:api[-_]?key|key|token|access_token|authorization)=)[^&#\s]+/gi

/** Removes from a text what is, or looks like, an API key of this request. */
export function createRequestRedactor(request: Pick<FastifyRequest, 'headers'>): (text: string) => string {
  const keys = apiKeysIn(request).filter((key) => key.length >= minSecretCharacters)
  return (text) =>
    keys
      .reduce((rest, key) => rest.replaceAll(key, '[redacted]'), text)
      .replace(keyParameterPattern, '$1[redacted]')
      .replace(keyPattern, '[redacted]')
      .replace(callbackSecretPattern, '$1[redacted]')
}
