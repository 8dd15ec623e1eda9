import type { FastifyRequest } from 'fastify'
import type { AppParts } from '../parts.ts'
import type { Balance } from './schemas.ts'

/** What a caller without a limit is told to have: some clients stop at an empty balance. */
export const unlimitedUsd = 1_000_000

/** The deposit address is empty on purpose: money sent to a made-up one would be lost. */
export async function balance({ money }: AppParts, { owner }: FastifyRequest): Promise<Balance> {
  const usd = (await money.balanceUsd(owner)) ?? unlimitedUsd
  return { usd_balance: usd.toFixed(8), nano_balance: '0.00000000', nanoDepositAddress: '' }
}
