import { Type } from '@sinclair/typebox'
import { authOffWarning } from '../../accounts/key-messages.ts'
import { accountSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { type AdminDeps, limitSchemas, noOtherFields, readOperation, throwOperationError } from './keys.ts'

const CreateKeyBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 100 }), ...limitSchemas },
  noOtherFields,
)

export const createKey: RouteDefinition<{ body: typeof CreateKeyBody }, AdminDeps> = {
  method: 'POST',
  path: '/api/admin/keys',
  docs: {
    id: 'createKey',
    tag: 'Operation',
    summary: 'Create a key. The response is the only place that shows it',
    replies: okResponse('The key.', accountSchema, 201),
    errorStatuses: [409, 422],
  },
  body: CreateKeyBody,
  code: 201,
  respond: async ({ admin: { ledger, isAuthOff } }, request) => {
    const operation = readOperation(request)
    const { account, key } = await ledger.createAccount(request.body, operation).catch(throwOperationError)
    if (isAuthOff === true) request.log.warn(authOffWarning)
    return { ...account, key, ...(isAuthOff === true && { warning: authOffWarning }) }
  },
}
