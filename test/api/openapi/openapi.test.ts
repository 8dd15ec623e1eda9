import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Ledger } from '../../../src/accounts/ledger.ts'
import { models } from '../../../src/catalogue/models/index.ts'
import { startGateway } from '../gateway.ts'

const file = join(import.meta.dirname, '../../../src/api/openapi/openapi.json')

type Document = {
  openapi: string
  paths: Record<
    string,
    Record<string, { operationId: string; summary: string; responses: Record<string, unknown> }>
  >
  components: {
    schemas: Record<
      string,
      { oneOf?: { $ref: string }[]; discriminator?: { mapping: Record<string, string> } }
    >
  }
}

/** The admin routes are documented if there is an admin key. */
const operator = {
  adminKey: 'operator',
  ledger: {} as Ledger,
  holds: { of: async () => [] },
  unknownJobs: {
    list: async () => [],
    decide: async () => ({ kind: 'none' as const }),
    adopt: async () => ({ kind: 'none' as const }),
  },
}

async function documentOf(t: TestContext): Promise<Document> {
  const { app } = await startGateway(t, { admin: operator })
  return (await app.inject('/openapi.json')).json()
}

test('the committed file equals the document of the gateway (`npm run openapi` writes it)', async (t) => {
  const document = await documentOf(t)
  t.assert.fileSnapshot(document, file, { serializers: [(value) => JSON.stringify(value, null, 2)] })
})

test('every model has its own schema', async (t) => {
  const { VideoRequest, ...schemas } = (await documentOf(t)).components.schemas
  const ids = models.map(({ id }) => id)
  assert.deepEqual(
    VideoRequest?.oneOf,
    ids.map((id) => ({ $ref: `#/components/schemas/${id}` })),
  )
  assert.deepEqual(Object.keys(VideoRequest?.discriminator?.mapping ?? {}), ids)
  for (const id of ids) assert.ok(schemas[id], id)
})

/** Routes for programs, which are documented elsewhere. */
const undocumented = {
  paths: /^\/(hooks|media|docs|openapi\.json)/,
  operations: /^\/(models|paid\/v1\/video-models|subscription\/v1\/video-models)$/,
}

test('every route is documented, except for aliases', async (t) => {
  const routes: { method: string; url: string; operation: string }[] = []
  const onApp = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url, config }) => {
      for (const one of [method].flat())
        routes.push({ method: one, url, operation: config?.operation ?? url })
    })
  }
  subscribe('fastify.initialization', onApp)
  t.after(() => unsubscribe('fastify.initialization', onApp))
  const { paths } = await documentOf(t)
  const isDocumented = ({ method, url }: { method: string; url: string }) =>
    paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] !== undefined
  const wanted = routes
    .filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
    .filter(({ url, operation }) => !undocumented.paths.test(url) && !undocumented.operations.test(operation))
  assert.ok(wanted.length > 100)
  for (const { method, url, operation } of wanted) {
    const canonical = { method, url: `/api${operation}` }
    const family = routes.filter((one) => one.method === method && one.operation === operation)
    assert.ok(isDocumented(canonical) || family.some(isDocumented), `${method} ${url} is not told`)
  }
})

test('every operation has a unique ID, a summary and documented errors', async (t) => {
  const document = Object.values((await documentOf(t)).paths).flatMap((item) => Object.values(item))
  const ids = document.map(({ operationId }) => operationId)
  assert.deepEqual(ids, [...new Set(ids)])
  for (const { operationId, summary, responses } of document) {
    assert.ok(summary, operationId)
    for (const status of ['400', '500', '503']) assert.ok(responses[status], `${operationId} ${status}`)
  }
})
