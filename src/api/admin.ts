import { createHash, timingSafeEqual } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Account } from '../accounts/account.ts'
import type { Book } from '../accounts/book.ts'
import { authOffWarning } from '../accounts/key-messages.ts'
import { isNothing } from '../accounts/money.ts'
import { anonymous } from '../accounts/open.ts'
import { longestNote, OperationRefused } from '../accounts/operation.ts'
import { adminHolds } from './admin-holds.ts'
import { keysOf } from './caller.ts'
import { ApiError } from './errors.ts'
import { readIdempotencyKey } from './idempotency.ts'
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
  {
    ...limits,
    topUpUsd: Type.Optional(Type.Number({ minimum: -1e9, maximum: 1e9 })),
    note: Type.Optional(Type.String({ maxLength: longestNote })),
  },
  strict,
)
const Id = Type.Object({ id: Type.String() })

const path = '/api/admin/keys'
const mostMovements = 1000

/** Keys and what they use, for whoever has the operator's own key. No route exists where none is set. */
export function admin(app: FastifyInstance, { admin: parts, money }: AppParts): void {
  if (parts === undefined) return
  const { book, holds, key, unknown } = parts
  const onRequest = onlyWith(key)
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()

  routes.post(path, { onRequest, schema: { body: NewKey } }, async (request, reply) => {
    const operation = operationOf(request)
    const { account, key: made } = await book.create(request.body, operation).catch(refuse)
    const warning = parts.isAuthOff ? authOffWarning : undefined
    if (warning !== undefined) request.log.warn(warning)
    return reply.code(201).send({ ...account, key: made, ...(warning !== undefined && { warning }) })
  })
  routes.get(path, { onRequest }, async () => ({ object: 'list', data: await book.list() }))
  routes.get(`${path}/:id`, { onRequest, schema: { params: Id } }, async ({ params }) =>
    known(book, params.id),
  )
  routes.patch(`${path}/:id`, { onRequest, schema: { params: Id, body: Changes } }, async (request) => {
    const { note, ...change } = request.body
    if (note !== undefined && change.topUpUsd === undefined && change.balanceUsd === undefined) {
      const message = '`note` belongs to a movement of money: give `topUpUsd` or `balanceUsd` with it'
      throw new ApiError('invalid_parameter_value', message, { param: 'note' })
    }
    if (change.topUpUsd !== undefined && isNothing(change.topUpUsd)) {
      const message = '`topUpUsd` must be at least 0.000001, or at most -0.000001'
      throw new ApiError('invalid_parameter_value', message, { param: 'topUpUsd' })
    }
    const operation = { ...operationOf(request), ...(note !== undefined && { note }) }
    const changed = await book.change(request.params.id, change, operation).catch(refuse)
    request.replayed = changed.replayed
    return changed.account
  })
  routes.delete(`${path}/:id`, { onRequest, schema: { params: Id } }, async ({ params }) => {
    await known(book, params.id)
    await book.revoke(params.id)
    return known(book, params.id)
  })
  routes.get(`${path}/:id/ledger`, { onRequest, schema: { params: Id } }, async ({ params }) => {
    if (params.id !== anonymous.owner) await known(book, params.id)
    return { object: 'list', data: await book.ledger(params.id, mostMovements) }
  })
  adminHolds(app, { holds, unknown, onRequest, account: (id) => known(book, id) })
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

function operationOf(request: FastifyRequest): { id?: string } {
  const id = readIdempotencyKey(request)
  return id === undefined ? {} : { id }
}

function refuse(cause: unknown): never {
  if (!(cause instanceof OperationRefused)) throw cause
  const { kind } = cause.reason
  const code = kind === 'reused' ? 'idempotency_key_reused' : kind === 'absent' ? 'not_found' : 'conflict'
  const param = { reused: 'Idempotency-Key', created: 'Idempotency-Key', negative: 'topUpUsd', absent: 'id' }[
    kind
  ]
  throw new ApiError(code, cause.message, { param, cause })
}

/** Compared as hashes of one length, so that the time it takes tells nothing. */
function onlyWith(secret: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(secret)
  return async (request: FastifyRequest): Promise<void> => {
    const [given] = keysOf(request)
    if (given === undefined) throw new ApiError('missing_api_key', "The operator's key is needed")
    if (!timingSafeEqual(digest(given), expected)) {
      const refusal = new ApiError('invalid_api_key', "This is not the operator's key")
      throw request.server.countFailure.admin(request, refusal)
    }
  }
}
