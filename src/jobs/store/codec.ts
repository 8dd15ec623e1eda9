import { toUsd } from '../../accounts/money.ts'
import type { View, Webhook, Work } from '../job.ts'

/** The first answer that was given to an idempotency key. */
export type Replayed = { kind: 'replayed'; view: View; warnings: readonly string[]; leftUsd?: number }

/** Why an account may not have a job, or what it has left; absent: it is not limited. `reused`: the key came with another body before. */
export type Acceptance =
  | { kind: 'accepted'; leftUsd?: number }
  | Replayed
  | { kind: 'reused' }
  | { kind: 'revoked' }
  | { kind: 'balance'; leftUsd: number }
  | { kind: 'daily'; limitUsd: number }

export function readAcceptance([kind, amount = '', ...answer]: readonly string[]): Acceptance {
  const usd = toUsd(Number(amount))
  if (kind === 'replayed') return readReplay([amount, ...answer])
  if (kind === 'reused') return { kind }
  if (kind === 'revoked') return { kind }
  if (kind === 'balance') return { kind, leftUsd: usd }
  if (kind === 'daily') return { kind, limitUsd: usd }
  return amount === '' ? { kind: 'accepted' } : { kind: 'accepted', leftUsd: usd }
}

export function readReplay([left, view, warnings]: readonly (string | null | undefined)[]): Replayed {
  const answer = { view: readView(view, '1'), warnings: JSON.parse(warnings ?? '[]') as string[] }
  return { kind: 'replayed', ...answer, ...(left ? { leftUsd: toUsd(Number(left)) } : {}) }
}

export function readWebhook([url, address]: readonly (string | null)[]): { webhook?: Webhook } {
  return url === null || url === undefined ? {} : { webhook: { url, address: address ?? '' } }
}

/** Records of version 0.1 say `1`. */
export function readCancel(cancel: string | null | undefined): { cancelAsked: boolean; withdrawn?: true } {
  const cancelAsked = cancel !== null && cancel !== undefined
  return cancel === 'withdrawn' ? { cancelAsked, withdrawn: true } : { cancelAsked }
}

export function readView(view: string | null | undefined, version: string | null | undefined): View {
  return { ...(JSON.parse(view ?? '{}') as View), version: Number(version) }
}

/** Once a call was sent again, the answer to its first sending counts no more: it may be older than what the second one made. */
export function markOf(attempt: Work['attempt']): string {
  return attempt === undefined ? '' : `${attempt.id}${attempt.again === true ? ' again' : ''}`
}
