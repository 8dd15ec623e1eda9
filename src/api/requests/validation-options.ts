import type { FastifyRequest } from 'fastify'
import type { ValidationOptions } from '../../catalogue/validation/validate.ts'
import type { ApiDeps } from '../deps.ts'
import { readPreferences } from './prefer.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The part of the `Prefer` header that was applied. */
    preferenceApplied: string | undefined
  }
}

/** How the values of a request are validated: by its `Prefer` header (`handling=strict`), else by the configuration. */
export function readValidationOptions(
  { config: { validation, promptMaxCharacters } }: Pick<ApiDeps, 'config'>,
  request: FastifyRequest,
): ValidationOptions {
  const preferredHandling = readPreferences(request.headers.prefer).get('handling')?.toLowerCase()
  const isKnown = preferredHandling === 'strict' || preferredHandling === 'lenient'
  if (isKnown) request.preferenceApplied = `handling=${preferredHandling}`
  const handling = isKnown ? preferredHandling : validation
  return {
    ...(handling !== undefined && { handling }),
    ...(promptMaxCharacters !== undefined && { promptMaxCharacters }),
  }
}
