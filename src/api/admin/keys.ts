import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { Account } from '../../accounts/account.ts'
import type { Ledger } from '../../accounts/ledger.ts'
import { OperationRefused } from '../../accounts/operation.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { readIdempotencyKey } from '../plugins/idempotency.ts'

/** What the operator's operations depend on. */
export type AdminDeps = Pick<ApiDeps, 'billing'> & { admin: NonNullable<ApiDeps['admin']> }

export const keyParams = Type.Object({ id: Type.String() })

export const noOtherFields = { additionalProperties: false }

const LimitSchema = (schema: { minimum: number; type: 'integer' | 'number' }) =>
  Type.Optional(Type.Unsafe<number | null>({ ...schema, maximum: 1e9, nullable: true }))

/** The limits of a key in a request; `null` removes one. */
export const limitSchemas = {
  rpm: LimitSchema({ type: 'integer', minimum: 1 }),
  dailyUsd: LimitSchema({ type: 'number', minimum: 0 }),
  balanceUsd: LimitSchema({ type: 'number', minimum: 0 }),
}

/** Throws `not_found` where there is no such key. */
export async function requireAccount(ledger: Ledger, id: string): Promise<Account> {
  const account = await ledger.read(id)
  if (account === undefined) throw new ApiError('not_found', `There is no key ${id}`)
  return account
}

/** The ID of a change that is applied once: the `Idempotency-Key`. */
export function readOperation(request: FastifyRequest): { id?: string } {
  const id = readIdempotencyKey(request)
  return id === undefined ? {} : { id }
}

export function throwOperationError(cause: unknown): never {
  if (!(cause instanceof OperationRefused)) throw cause
  const { kind } = cause.reason
  const code = kind === 'reused' ? 'idempotency_key_reused' : kind === 'absent' ? 'not_found' : 'conflict'
  const param = { reused: 'Idempotency-Key', created: 'Idempotency-Key', negative: 'topUpUsd', absent: 'id' }[
    kind
  ]
  throw new ApiError(code, cause.message, { param, cause })
}
