import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import { registerRoutes } from '../../src/api/register-routes.ts'
import { integerParameter, querySchema } from '../../src/api/requests/query.ts'
import type { RequestSchemas, RouteDefinition } from '../../src/api/route-definition.ts'

type Definition = RouteDefinition<RequestSchemas, { reply: string }>

const readReply: Definition = {
  method: 'GET',
  path: '/reply',
  respond: async ({ reply }) => ({ reply }),
}
const deps = { reply: 'hello' }

test('an operation that needs an API key is not registered without authentication', () => {
  assert.throws(() => registerRoutes(Fastify(), [readReply], { deps }), /hooks of \/reply are missing/)
})

test('a limited operation is not registered without its limit', () => {
  const limited: Definition = { ...readReply, isPublic: true, rateLimit: 'submit' }
  assert.throws(() => registerRoutes(Fastify(), [limited], { deps }), /hooks of \/reply are missing/)
})

test('a route has a schema for its query string or for its body, not both', async () => {
  const app = Fastify()
  const query = querySchema({ limit: integerParameter({ minimum: 1, maximum: 2, default: 1 }) })
  const definition: Definition = {
    ...readReply,
    method: 'POST',
    isPublic: true,
    query,
    body: Type.Object({}),
  }
  registerRoutes(app, [definition], { deps })
  await assert.rejects(async () => app.ready(), /query string or for its body/)
})

test('an operation is served under each prefix, and the first of two with one URL wins', async () => {
  const app = Fastify()
  const v1Reply: Definition = { method: 'GET', path: '/v1/reply', isPublic: true, respond: async () => 'v1' }
  const publicReply: Definition = { ...readReply, isPublic: true, code: 202 }
  registerRoutes(app, [v1Reply, publicReply], { deps, prefixes: ['', '/v1'] })
  const get = async (url: string) => {
    const { statusCode, body } = await app.inject(url)
    return [statusCode, body]
  }
  assert.deepEqual(await get('/reply'), [202, '{"reply":"hello"}'])
  assert.deepEqual(await get('/v1/reply'), [200, 'v1'])
  assert.deepEqual(await get('/v1/v1/reply'), [200, 'v1'])
})

test('hooks run in the order authentication, rate limit, hook of the route', async () => {
  const calls: string[] = []
  const note = (name: string) => (_request: unknown, _reply: unknown, done: () => void) => {
    calls.push(name)
    done()
  }
  const limited = [note('limit'), note('check before the body')]
  const limits = { submit: limited, extend: limited, library: limited, recover: limited }
  const definition: Definition = {
    ...readReply,
    rateLimit: 'submit',
    onRequest: async () => void calls.push('own'),
  }
  const app = Fastify()
  registerRoutes(app, [definition], { deps, limits, authenticate: note('authentication') })
  assert.equal((await app.inject('/reply')).statusCode, 200)
  assert.deepEqual(calls, ['authentication', 'limit', 'check before the body', 'own'])
})
