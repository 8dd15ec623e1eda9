import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyContextConfig, FastifyInstance, FastifySchema, onRequestHookHandler } from 'fastify'
import { createPreBodyChecks } from './body/pre-body-checks.ts'
import type { ApiDeps } from './deps.ts'
import type { RateLimitedOperation, RateLimitHooks } from './plugins/rate-limits.ts'
import { compileQueryValidator } from './requests/query.ts'
import type { RequestSchemas, RouteDefinition } from './route-definition.ts'

/** The hooks of each limited operation: its rate limit, then the checks before its body is read. */
export type LimitHooks = Readonly<Record<RateLimitedOperation, readonly onRequestHookHandler[]>>

export function createLimitHooks(deps: ApiDeps, rateLimits: RateLimitHooks): LimitHooks {
  const { forSubmit, forUpload } = createPreBodyChecks(deps)
  return {
    submit: [rateLimits.submit, forSubmit],
    extend: [rateLimits.extend, forSubmit],
    library: [rateLimits.library, forUpload],
    recover: [rateLimits.recover],
  }
}

type RouteOptions = Omit<RouteDefinition, 'onRequest' | 'respond'>

type RegistrationOptions<Deps> = {
  deps: Deps
  /** Each operation is served under all of them. The OpenAPI document lists the first. */
  prefixes?: readonly string[]
  /** Required unless all operations are public. */
  authenticate?: onRequestHookHandler
  /** Required if an operation is limited. */
  limits?: LimitHooks
}

/** Serves operations. If a prefix gives two of them the same URL, the earlier one wins. */
export function registerRoutes<Deps>(
  app: FastifyInstance,
  definitions: readonly RouteDefinition<RequestSchemas, NoInfer<Deps>>[],
  { deps, prefixes = [''], authenticate, limits }: RegistrationOptions<Deps>,
): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()
  const registered = new Set<string>()
  for (const definition of definitions) {
    const { method, path, query, code = 200, isPublic, rateLimit, exposeHeadRoute } = definition
    const onRequest = [
      ...(isPublic ? [] : [required(authenticate, definition)]),
      ...(rateLimit === undefined ? [] : required(limits, definition)[rateLimit]),
      ...toOwnHooks(definition, deps),
    ]
    for (const prefix of prefixes) {
      const url = prefix + path
      if (registered.has(`${method} ${url}`)) continue
      registered.add(`${method} ${url}`)
      routes.route({
        method,
        url,
        onRequest,
        config: toRouteConfig(definition, prefix === prefixes[0]),
        schema: toRouteSchema(definition),
        ...(query !== undefined && { validatorCompiler: compileQueryValidator }),
        ...(exposeHeadRoute !== undefined && { exposeHeadRoute }),
        handler: (request, reply) => definition.respond(deps, request, reply.code(code)),
      })
    }
  }
}

/** An operation without its hooks would be open to everyone, or not limited. */
function required<Hooks>(hooks: Hooks | undefined, { path }: RouteOptions): Hooks {
  if (hooks === undefined) throw new Error(`The hooks of ${path} are missing`)
  return hooks
}

function toOwnHooks<Deps>(
  { onRequest: check }: RouteDefinition<RequestSchemas, Deps>,
  deps: Deps,
): onRequestHookHandler[] {
  if (check === undefined) return []
  return [(request, _reply, done) => void check(deps, request).then(() => done(), done)]
}

function toRouteConfig(
  { path, quiet, cleanBody, docs, isPublic }: RouteOptions,
  isListed: boolean,
): FastifyContextConfig {
  return {
    quiet: quiet === true,
    operation: path,
    ...(cleanBody !== undefined && { cleanBody }),
    ...(isListed && docs !== undefined && { docs: { ...docs, ...(isPublic === true && { isPublic }) } }),
  }
}

function toRouteSchema({ params, query, body, response, code = 200 }: RouteOptions): FastifySchema {
  return {
    ...(params !== undefined && { params }),
    ...(query !== undefined && { querystring: query }),
    ...(body !== undefined && { body }),
    ...(response !== undefined && { response: { [code]: response } }),
  }
}
