import { Type } from '@sinclair/typebox'
import type { RouteDefinition } from '../route-definition.ts'
import { otherFieldsAllowed } from './schemas.ts'
import { unlimitedUsd } from './submit-request-body.ts'

const BalanceResponse = Type.Object(
  { usd_balance: Type.String(), nano_balance: Type.String(), nanoDepositAddress: Type.String() },
  otherFieldsAllowed,
)

/** The deposit address is empty on purpose: money sent to a made-up one would be lost. */
export const checkBalance: RouteDefinition = {
  method: 'POST',
  path: '/check-balance',
  docs: {
    id: 'checkBalance',
    tag: 'Account',
    summary: 'The balance of a key',
    errorStatuses: [408, 413, 415],
  },
  response: BalanceResponse,
  respond: async ({ billing }, { owner }) => {
    const usd = (await billing.balanceUsd(owner)) ?? unlimitedUsd
    return { usd_balance: usd.toFixed(8), nano_balance: '0.00000000', nanoDepositAddress: '' }
  },
}
