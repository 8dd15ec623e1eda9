import type { FastifyRequest } from 'fastify'
import type { Validation } from '../catalogue/admit.ts'
import type { AppParts } from './parts.ts'
import { readPreferences } from './prefer.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What of the `Prefer` header was followed. */
    preferenceApplied: string | undefined
  }
}

/** How the values of a request are checked: as it prefers (`Prefer: handling=strict`), else as the operator set it. */
export function validationOf(
  { config: { validation, promptMaxCharacters } }: Pick<AppParts, 'config'>,
  request: FastifyRequest,
): Validation {
  const preferred = readPreferences(request.headers.prefer).get('handling')?.toLowerCase()
  const isKnown = preferred === 'strict' || preferred === 'lenient'
  if (isKnown) request.preferenceApplied = `handling=${preferred}`
  const handling = isKnown ? preferred : validation
  return {
    ...(handling !== undefined && { handling }),
    ...(promptMaxCharacters !== undefined && { promptMaxCharacters }),
  }
}
