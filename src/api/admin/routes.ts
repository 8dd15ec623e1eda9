import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { apiKeysIn } from '../plugins/authenticate.ts'
import { registerRoutes } from '../register-routes.ts'
import { changeKey } from './change-key.ts'
import { createKey } from './create-key.ts'
import { decideHold } from './decide-hold.ts'
import { decideUnknownJob } from './decide-unknown-job.ts'
import { listHolds } from './list-holds.ts'
import { listKeys } from './list-keys.ts'
import { listMovements } from './list-movements.ts'
import { listUnknownJobs } from './list-unknown-jobs.ts'
import { readAllUsage } from './read-all-usage.ts'
import { readKey } from './read-key.ts'
import { revokeKey } from './revoke-key.ts'

const routeDefinitions = [
  createKey,
  listKeys,
  readKey,
  changeKey,
  revokeKey,
  listMovements,
  listHolds,
  decideHold,
  listUnknownJobs,
  decideUnknownJob,
  readAllUsage,
]

/** Serves the operator's API, whose key is not one of the API keys. No route exists where none is set. */
export function registerAdminRoutes(app: FastifyInstance, { admin, billing }: ApiDeps): void {
  if (admin === undefined) return
  registerRoutes(app, routeDefinitions, {
    deps: { admin, billing },
    authenticate: requireAdminKey(admin.adminKey),
  })
}

/** Compared as hashes of one length, so that the time it takes tells nothing. */
function requireAdminKey(secret: string): onRequestHookHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(secret)
  return (request, _reply, done) => {
    const [providedKey] = apiKeysIn(request)
    if (providedKey === undefined) done(new ApiError('missing_api_key', "The operator's key is needed"))
    else if (timingSafeEqual(digest(providedKey), expected)) done()
    else {
      const error = new ApiError('invalid_api_key', "This is not the operator's key")
      done(request.server.countFailure.admin(request, error))
    }
  }
}
