import type { JobRefusal } from '../../accounts/check-account.ts'
import { toUsd } from '../../accounts/money.ts'
import type { JobView, JobWork, Webhook } from '../job.ts'

/** The first reply to an idempotency key, repeated. */
export type Replay = { kind: 'replayed'; view: JobView; warnings: readonly string[]; remainingUsd?: number }

/** `remainingUsd`: the balance of the account; absent: unlimited. */
export type CreateResult = { kind: 'accepted'; remainingUsd?: number } | Replay | JobRefusal

export function parseCreateResult([kind, amount = '', ...rest]: readonly string[]): CreateResult {
  const usd = toUsd(Number(amount))
  if (kind === 'replayed') return parseReplay([amount, ...rest])
  if (kind === 'reused') return { kind }
  if (kind === 'revoked') return { kind }
  if (kind === 'balance') return { kind, remainingUsd: usd }
  if (kind === 'daily') return { kind, limitUsd: usd }
  return amount === '' ? { kind: 'accepted' } : { kind: 'accepted', remainingUsd: usd }
}

export function parseReplay([remaining, view, warnings]: readonly (string | null | undefined)[]): Replay {
  const replay = { view: parseView(view, '1'), warnings: JSON.parse(warnings ?? '[]') as string[] }
  return { kind: 'replayed', ...replay, ...(remaining ? { remainingUsd: toUsd(Number(remaining)) } : {}) }
}

export function parseWebhookFields([url, baseUrl]: readonly (string | null)[]): { webhook?: Webhook } {
  return url === null || url === undefined ? {} : { webhook: { url, baseUrl: baseUrl ?? '' } }
}

/** Records of version 0.1 say `1`. */
export function parseCancel(cancel: string | null | undefined): {
  cancelRequested: boolean
  withdrawn?: true
} {
  const cancelRequested = cancel !== null && cancel !== undefined
  return cancel === 'withdrawn' ? { cancelRequested, withdrawn: true } : { cancelRequested }
}

export function parseView(view: string | null | undefined, version: string | null | undefined): JobView {
  return { ...(JSON.parse(view ?? '{}') as JobView), version: Number(version) }
}

/** Identifies an attempt. It changes when the call is sent again, because the reply to the first call may be older than the effect of the second. */
export function attemptMarker(attempt: JobWork['attempt']): string {
  return attempt === undefined ? '' : `${attempt.id}${attempt.again === true ? ' again' : ''}`
}
