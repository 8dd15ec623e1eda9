import { type Static, Type } from '@sinclair/typebox'
import { isZeroUsd } from '../../accounts/money.ts'
import { maxNoteLength } from '../../accounts/operation.ts'
import { ApiError } from '../errors.ts'
import { accountSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import {
  type AdminDeps,
  keyParams,
  limitSchemas,
  noOtherFields,
  readOperation,
  throwOperationError,
} from './keys.ts'

const ChangeKeyBody = Type.Object(
  {
    ...limitSchemas,
    topUpUsd: Type.Optional(Type.Number({ minimum: -1e9, maximum: 1e9 })),
    note: Type.Optional(Type.String({ maxLength: maxNoteLength })),
  },
  noOtherFields,
)

type Schemas = { params: typeof keyParams; body: typeof ChangeKeyBody }

export const changeKey: RouteDefinition<Schemas, AdminDeps> = {
  method: 'PATCH',
  path: '/api/admin/keys/:id',
  docs: {
    id: 'changeKey',
    tag: 'Operation',
    summary:
      'Change the limits of a key, top it up or correct its balance. All changes are applied or none; with an `Idempotency-Key` once in 24 hours',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404, 409, 422],
  },
  params: keyParams,
  body: ChangeKeyBody,
  respond: async ({ admin }, request) => {
    checkMoney(request.body)
    const { note, ...change } = request.body
    const operation = { ...readOperation(request), ...(note !== undefined && { note }) }
    const result = await admin.ledger.change(request.params.id, change, operation).catch(throwOperationError)
    request.isReplayed = result.replayed
    return result.account
  },
}

function checkMoney({ note, topUpUsd, balanceUsd }: Static<typeof ChangeKeyBody>): void {
  if (note !== undefined && topUpUsd === undefined && balanceUsd === undefined) {
    const message = '`note` belongs to a movement of money: give `topUpUsd` or `balanceUsd` with it'
    throw new ApiError('invalid_parameter_value', message, { param: 'note' })
  }
  if (topUpUsd !== undefined && isZeroUsd(topUpUsd)) {
    const message = '`topUpUsd` must be at least 0.000001, or at most -0.000001'
    throw new ApiError('invalid_parameter_value', message, { param: 'topUpUsd' })
  }
}
