import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }
import { resolvePathPrefix } from '../requests/base-url.ts'
import { components } from './components.ts'
import { describeOperation, tags } from './operation.ts'

const documentHeader = {
  openapi: '3.1.0',
  info: {
    title: 'Reelgate',
    version: manifest.version,
    description:
      'Video generation on several upstream providers through the NanoGPT video API. Most paths are also served under `/`, `/v1`, `/api/v1` and `/api/v1/api`.',
  },
  tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
  security: [{ key: [] }, { bearer: [] }],
  components,
}

/** Without the usual `upgrade-insecure-requests`: the gateway itself speaks plain HTTP. */
const pagePolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'self'"

/** Collects the routes that are registered after it. */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: documentHeader as NonNullable<FastifyDynamicSwaggerOptions['openapi']>,
    transform: ({ schema, url, route }) => {
      const docs = route.config?.docs
      return {
        url,
        schema: docs === undefined ? { ...schema, hide: true } : describeOperation(docs, url, schema ?? {}),
      }
    },
    transformObject: (document) => {
      const { paths = {}, ...rest } = 'openapiObject' in document ? document.openapiObject : {}
      const pathsWithoutHead = Object.entries(paths).map(([path, item]) => [
        path,
        { ...item, head: undefined },
      ])
      return { ...rest, paths: Object.fromEntries(pathsWithoutHead) }
    },
  })
}

/** `/openapi.json`, and a page at `/docs` that reads it. Nothing of the page comes from elsewhere. */
export async function serveDocument(app: FastifyInstance, publicUrl: string | undefined): Promise<void> {
  let document: string | undefined
  const listServers = (request: FastifyRequest) => {
    const prefix = resolvePathPrefix(request, publicUrl)
    return publicUrl === undefined && prefix === '' ? {} : { servers: [{ url: publicUrl ?? prefix }] }
  }
  app.get('/openapi.json', { config: { quiet: true } }, async (request, reply) => {
    const { servers } = listServers(request)
    reply.type('application/json')
    if (servers !== undefined) return reply.send(JSON.stringify({ ...app.swagger(), servers }))
    document ??= JSON.stringify(app.swagger())
    return reply.send(document)
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: pagePolicy,
    theme: { title: 'Reelgate' },
    uiConfig: { deepLinking: true, tryItOutEnabled: true },
    transformSpecification: (specification, request) => ({ ...specification, ...listServers(request) }),
    transformSpecificationClone: false,
  })
  // The page has links to the root of the server when it is opened without a slash at the end.
  app.addHook('onSend', async (request, reply, payload) => {
    const { url = '' } = request.routeOptions
    const prefix = url.startsWith('/docs') ? resolvePathPrefix(request, publicUrl) : ''
    if (prefix === '') return payload
    const location = reply.getHeader('location')
    if (typeof location === 'string' && location.startsWith('/')) reply.header('location', prefix + location)
    return typeof payload === 'string' ? payload.replaceAll('"/docs/static', '"./docs/static') : payload
  })
}
