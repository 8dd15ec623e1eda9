import type { FastifyInstance } from 'fastify'
import { registerRoutes } from '../register-routes.ts'
import { checkLiveness } from './check-liveness.ts'
import { checkReadiness, type HealthDeps } from './check-readiness.ts'

/** Serves liveness and readiness, which workers serve too. */
export function registerHealthRoutes(app: FastifyInstance, deps: HealthDeps): void {
  registerRoutes(app, [checkLiveness, checkReadiness], { deps })
}
