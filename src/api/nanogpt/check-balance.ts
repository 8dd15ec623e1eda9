import type { FastifyRequest } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import type { BalanceResponse } from './schemas.ts'

/** What a caller without a limit is told to have: some clients stop at an empty balance. */
export const unlimitedUsd = 1_000_000

/** The deposit address is empty on purpose: money sent to a made-up one would be lost. */
export async function getBalance({ billing }: ApiDeps, { owner }: FastifyRequest): Promise<BalanceResponse> {
  const usd = (await billing.balanceUsd(owner)) ?? unlimitedUsd
  return { usd_balance: usd.toFixed(8), nano_balance: '0.00000000', nanoDepositAddress: '' }
}
