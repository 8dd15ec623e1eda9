import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }
import { components } from './components.ts'
import { jobs } from './jobs.ts'
import { describeOperation, tags } from './operation.ts'
import { others } from './others.ts'
import { videos } from './videos.ts'

/** Every operation under its one canonical path; the other paths of it are served, but not told. */
const operations = { ...videos, ...jobs, ...others }

const about = {
  openapi: '3.1.0',
  info: {
    title: 'Reelgate',
    version: manifest.version,
    description:
      'Video generation on seven upstreams behind the NanoGPT video API. Most paths are also served under `/`, `/v1`, `/api/v1` and `/api/v1/api`.',
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
    openapi: about as NonNullable<FastifyDynamicSwaggerOptions['openapi']>,
    transform: ({ schema, url, route }) => {
      const [method = ''] = [route.method].flat()
      const operation = operations[`${method} ${url}`]
      return {
        url,
        schema:
          operation === undefined
            ? { ...schema, hide: true }
            : describeOperation(operation, url, schema ?? {}),
      }
    },
    transformObject: (document) => {
      const { paths = {}, ...rest } = 'openapiObject' in document ? document.openapiObject : {}
      const told = Object.entries(paths).map(([path, item]) => [path, { ...item, head: undefined }])
      return { ...rest, paths: Object.fromEntries(told) }
    },
  })
}

/** `/openapi.json`, and a page at `/docs` that reads it. Nothing of the page comes from elsewhere. */
export async function serveDocument(app: FastifyInstance): Promise<void> {
  let document: string | undefined
  app.get('/openapi.json', { config: { quiet: true } }, async (_, reply) => {
    document ??= JSON.stringify(app.swagger())
    return reply.type('application/json').send(document)
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: pagePolicy,
    theme: { title: 'Reelgate' },
    uiConfig: { deepLinking: true, tryItOutEnabled: true },
  })
}
