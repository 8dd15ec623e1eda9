import type { FastifyInstance } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { registerRoutes } from '../register-routes.ts'
import { readDefaultWebhook } from './read-default.ts'
import { readDeliveries } from './read-deliveries.ts'
import { readWebhookSecret } from './read-secret.ts'
import { replayWebhook } from './replay.ts'
import { rotateWebhookSecret } from './rotate-secret.ts'
import { setDefaultWebhook } from './set-default.ts'

/** Serves what callers manage of their webhooks: the default address, the signing secret and the deliveries of a job. */
export function registerWebhookRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const routes = [
    readWebhookSecret,
    rotateWebhookSecret,
    readDefaultWebhook,
    setDefaultWebhook,
    readDeliveries,
    replayWebhook,
  ]
  registerRoutes(app, routes, { deps, authenticate: createAuthenticationHook(deps.authenticator) })
}
