import { createHash, timingSafeEqual } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Account, Book } from '../accounts/book.ts'
import { anonymous } from '../accounts/open.ts'
import { keysOf } from './caller.ts'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'
import { daysOf, usageBody } from './usage.ts'

const Limit = (schema: { minimum: number; type: 'integer' | 'number' }) =>
  Type.Optional(Type.Unsafe<number | null>({ ...schema, maximum: 1e9, nullable: true }))

const limits = {
  rpm: Limit({ type: 'integer', minimum: 1 }),
  dailyUsd: Limit({ type: 'number', minimum: 0 }),
  balanceUsd: Limit({ type: 'number', minimum: 0 }),
}
const strict = { additionalProperties: false }
const NewKey = Type.Object({ name: Type.String({ minLength: 1, maxLength: 100 }), ...limits }, strict)
const Changes = Type.Object(
  { ...limits, topUpUsd: Type.Optional(Type.Number({ minimum: 0, maximum: 1e9 })) },
  strict,
)
const Decision = Type.Object(
  { decision: Type.Unsafe<'charge' | 'release'>({ enum: ['charge', 'release'] }) },
  strict,
)
const Id = Type.Object({ id: Type.String() })
const Held = Type.Object({ id: Type.String(), job: Type.String() })

const path = '/api/admin/keys'
const mostMovements = 1000

/** Keys and what they use, for whoever has the operator's own key. No route exists where none is set. */
export function admin(app: FastifyInstance, { admin: parts, money }: AppParts): void {
  if (parts === undefined) return
  const { book, key, unknown } = parts
  const onRequest = onlyWith(key)
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()

  routes.post(path, { onRequest, schema: { body: NewKey } }, async ({ body }, reply) => {
    const made = await book.create(body)
    return reply.code(201).send({ ...made.account, key: made.key })
  })
  routes.get(path, { onRequest }, async () => ({ object: 'list', data: await book.list() }))
  routes.get(`${path}/:id`, { onRequest, schema: { params: Id } }, async ({ params }) =>
    known(book, params.id),
  )
  routes.patch(
    `${path}/:id`,
    { onRequest, schema: { params: Id, body: Changes } },
    async ({ params, body }) => {
      const { topUpUsd, ...changed } = body
      await known(book, params.id)
      await book.limit(params.id, changed)
      if (topUpUsd !== undefined) await book.topUp(params.id, topUpUsd)
      return known(book, params.id)
    },
  )
  routes.delete(`${path}/:id`, { onRequest, schema: { params: Id } }, async ({ params }) => {
    await known(book, params.id)
    await book.revoke(params.id)
    return known(book, params.id)
  })
  routes.get(`${path}/:id/ledger`, { onRequest, schema: { params: Id } }, async ({ params }) => {
    await known(book, params.id)
    return { object: 'list', data: await book.ledger(params.id, mostMovements) }
  })
  routes.get(`${path}/:id/held`, { onRequest, schema: { params: Id } }, async ({ params }) => {
    await known(book, params.id)
    return { object: 'list', data: await book.held(params.id) }
  })
  const decide = { onRequest, schema: { params: Held, body: Decision } }
  routes.post(`${path}/:id/held/:job`, decide, async ({ params: { id, job }, body }) => {
    await known(book, id)
    if (await book.resolve(id, job, body.decision)) return known(book, id)
    throw new ApiError('not_found', `Nothing is held for the job ${job}`)
  })
  routes.get('/api/admin/unknown', { onRequest }, async () => ({
    object: 'list',
    data: await unknown.list(),
  }))
  const settle = { onRequest, schema: { params: Id, body: Decision } }
  routes.post('/api/admin/unknown/:id', settle, async ({ params: { id }, body: { decision } }) => {
    const owner = await unknown.decide(id, decision)
    if (owner === undefined) throw new ApiError('not_found', `Nothing is to be decided about the job ${id}`)
    await book.resolve(owner, id, decision)
    return { id, decision }
  })
  routes.get('/api/admin/usage', { onRequest }, async ({ query }) => {
    const asked = Reflect.get(Object(query), 'key')
    const ids = (await book.list()).map(({ id }) => id).concat(anonymous.owner)
    const wanted = typeof asked === 'string' ? ids.filter((id) => id === asked) : ids
    return usageBody(await money.usage(wanted, daysOf(query)), query)
  })
}

async function known(book: Book, id: string): Promise<Account> {
  const account = await book.read(id)
  if (account === undefined) throw new ApiError('not_found', `There is no key ${id}`)
  return account
}

/** Compared as hashes of one length, so that the time it takes tells nothing. */
function onlyWith(secret: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(secret)
  return async (request: FastifyRequest): Promise<void> => {
    const [given] = keysOf(request)
    if (given === undefined) throw new ApiError('missing_api_key', "The operator's key is needed")
    if (!timingSafeEqual(digest(given), expected)) {
      throw new ApiError('invalid_api_key', "This is not the operator's key")
    }
  }
}
