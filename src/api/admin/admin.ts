import { createHash, timingSafeEqual } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { anonymousCaller } from '../../accounts/access.ts'
import type { Account } from '../../accounts/account.ts'
import { authOffWarning } from '../../accounts/key-messages.ts'
import type { Ledger } from '../../accounts/ledger.ts'
import { isZeroUsd } from '../../accounts/money.ts'
import { maxNoteLength, OperationRefused } from '../../accounts/operation.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { apiKeysIn } from '../plugins/authenticate.ts'
import { readIdempotencyKey } from '../plugins/idempotency.ts'
import { parseQuery } from '../requests/query.ts'
import { buildUsageReport, usageQuery } from '../requests/usage.ts'
import { registerHoldRoutes } from './admin-holds.ts'

const LimitSchema = (schema: { minimum: number; type: 'integer' | 'number' }) =>
  Type.Optional(Type.Unsafe<number | null>({ ...schema, maximum: 1e9, nullable: true }))

const limitSchemas = {
  rpm: LimitSchema({ type: 'integer', minimum: 1 }),
  dailyUsd: LimitSchema({ type: 'number', minimum: 0 }),
  balanceUsd: LimitSchema({ type: 'number', minimum: 0 }),
}
const noOtherFields = { additionalProperties: false }
const CreateKeyBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 100 }), ...limitSchemas },
  noOtherFields,
)
const ChangeKeyBody = Type.Object(
  {
    ...limitSchemas,
    topUpUsd: Type.Optional(Type.Number({ minimum: -1e9, maximum: 1e9 })),
    note: Type.Optional(Type.String({ maxLength: maxNoteLength })),
  },
  noOtherFields,
)
const KeyParams = Type.Object({ id: Type.String() })

const path = '/api/admin/keys'
const maxLedgerEntries = 1000

/** Keys and what they use, for whoever has the operator's own key. No route exists where none is set. */
export function registerAdminRoutes(app: FastifyInstance, { admin: adminDeps, billing }: ApiDeps): void {
  if (adminDeps === undefined) return
  const { ledger, holds, adminKey, unknownJobs } = adminDeps
  const onRequest = requireAdminKey(adminKey)
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()

  routes.post(path, { onRequest, schema: { body: CreateKeyBody } }, async (request, reply) => {
    const operation = operationOf(request)
    const { account, key: apiKey } = await ledger
      .createAccount(request.body, operation)
      .catch(throwOperationError)
    const warning = adminDeps.isAuthOff ? authOffWarning : undefined
    if (warning !== undefined) request.log.warn(warning)
    return reply.code(201).send({ ...account, key: apiKey, ...(warning !== undefined && { warning }) })
  })
  routes.get(path, { onRequest }, async () => ({ object: 'list', data: await ledger.listAccounts() }))
  routes.get(`${path}/:id`, { onRequest, schema: { params: KeyParams } }, async ({ params }) =>
    requireAccount(ledger, params.id),
  )
  routes.patch(
    `${path}/:id`,
    { onRequest, schema: { params: KeyParams, body: ChangeKeyBody } },
    async (request) => {
      const { note, ...change } = request.body
      if (note !== undefined && change.topUpUsd === undefined && change.balanceUsd === undefined) {
        const message = '`note` belongs to a movement of money: give `topUpUsd` or `balanceUsd` with it'
        throw new ApiError('invalid_parameter_value', message, { param: 'note' })
      }
      if (change.topUpUsd !== undefined && isZeroUsd(change.topUpUsd)) {
        const message = '`topUpUsd` must be at least 0.000001, or at most -0.000001'
        throw new ApiError('invalid_parameter_value', message, { param: 'topUpUsd' })
      }
      const operation = { ...operationOf(request), ...(note !== undefined && { note }) }
      const result = await ledger.change(request.params.id, change, operation).catch(throwOperationError)
      request.isReplayed = result.replayed
      return result.account
    },
  )
  routes.delete(`${path}/:id`, { onRequest, schema: { params: KeyParams } }, async ({ params }) => {
    await requireAccount(ledger, params.id)
    await ledger.revokeAccount(params.id)
    return requireAccount(ledger, params.id)
  })
  routes.get(`${path}/:id/ledger`, { onRequest, schema: { params: KeyParams } }, async ({ params }) => {
    if (params.id !== anonymousCaller.owner) await requireAccount(ledger, params.id)
    return { object: 'list', data: await ledger.listMovements(params.id, maxLedgerEntries) }
  })
  registerHoldRoutes(app, { holds, unknownJobs, onRequest, readAccount: (id) => requireAccount(ledger, id) })
  routes.get('/api/admin/usage', { onRequest }, async ({ query }) => {
    const keyFilter = Reflect.get(Object(query), 'key')
    const ids = (await ledger.listAccounts()).map(({ id }) => id).concat(anonymousCaller.owner)
    const keyIds = typeof keyFilter === 'string' ? ids.filter((id) => id === keyFilter) : ids
    const { days, ...filter } = parseQuery(usageQuery, query)
    return buildUsageReport(await billing.usage(keyIds, days), filter)
  })
}

async function requireAccount(ledger: Ledger, id: string): Promise<Account> {
  const account = await ledger.read(id)
  if (account === undefined) throw new ApiError('not_found', `There is no key ${id}`)
  return account
}

function operationOf(request: FastifyRequest): { id?: string } {
  const id = readIdempotencyKey(request)
  return id === undefined ? {} : { id }
}

function throwOperationError(cause: unknown): never {
  if (!(cause instanceof OperationRefused)) throw cause
  const { kind } = cause.reason
  const code = kind === 'reused' ? 'idempotency_key_reused' : kind === 'absent' ? 'not_found' : 'conflict'
  const param = { reused: 'Idempotency-Key', created: 'Idempotency-Key', negative: 'topUpUsd', absent: 'id' }[
    kind
  ]
  throw new ApiError(code, cause.message, { param, cause })
}

/** Compared as hashes of one length, so that the time it takes tells nothing. */
function requireAdminKey(secret: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(secret)
  return async (request: FastifyRequest): Promise<void> => {
    const [providedKey] = apiKeysIn(request)
    if (providedKey === undefined) throw new ApiError('missing_api_key', "The operator's key is needed")
    if (!timingSafeEqual(digest(providedKey), expected)) {
      const error = new ApiError('invalid_api_key', "This is not the operator's key")
      throw request.server.countFailure.admin(request, error)
    }
  }
}
