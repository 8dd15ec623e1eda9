import type { FastifyInstance } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { registerRoutes } from '../register-routes.ts'
import { cancelJob } from './cancel-job.ts'
import { createEventStreams } from './event-stream.ts'
import { listJobs } from './list-jobs.ts'
import { readJob } from './read-job.ts'
import { streamJobEvents } from './stream-job-events.ts'

/** Serves our own API of jobs. */
export function registerJobRoutes(app: FastifyInstance, deps: ApiDeps): void {
  registerRoutes(app, [streamJobEvents, listJobs, readJob, cancelJob], {
    deps: { ...deps, streams: createEventStreams(app) },
    authenticate: createAuthenticationHook(deps.authenticator),
  })
}
