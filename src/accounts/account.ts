import { toUsd } from './money.ts'

/** An account has one key. Money in USD; an absent limit or balance is none. */
export type Account = {
  id: string
  name: string
  /** How the key ends. */
  hint: string
  createdAt: number
  revokedAt?: number
  rpm?: number
  dailyUsd?: number
  balanceUsd?: number
  reservedUsd: number
  heldUsd: number
  spentUsd: number
}

/** Of one movement: what it changed, in USD. */
export type Movement = {
  id: string
  at: number
  kind: string
  job?: string
  /** The operation that it belongs to, where somebody asked for it. */
  operation?: string
  /** Who decided it, where somebody did. */
  by?: string
  note?: string
  /** Of a sandbox job, which costs nothing. */
  sandbox?: true
  balanceUsd: number
  reservedUsd: number
  heldUsd: number
  spentUsd: number
}

const usdOf = (micros: string | undefined) => toUsd(Number(micros ?? 0))

/** An account from its hash. */
export function accountOf(id: string, fields: Readonly<Record<string, string>>): Account {
  const { name = '', hint = '', createdAt, revokedAt, rpm, daily, balance } = fields
  return {
    id,
    name,
    hint,
    createdAt: Number(createdAt),
    ...(revokedAt !== undefined && { revokedAt: Number(revokedAt) }),
    ...(rpm !== undefined && { rpm: Number(rpm) }),
    ...(daily !== undefined && { dailyUsd: usdOf(daily) }),
    ...(balance !== undefined && { balanceUsd: usdOf(balance) }),
    reservedUsd: usdOf(fields.reserved),
    heldUsd: usdOf(fields.held),
    spentUsd: usdOf(fields.spent),
  }
}

/** A movement from its entry in the ledger's stream. */
export function movementOf(id: string, fields: readonly string[]): Movement {
  const named = namesAndValues(fields)
  const text = (name: 'job' | 'operation' | 'by' | 'note') => {
    const value = named[name] ?? ''
    return value === '' ? {} : { [name]: value }
  }
  return {
    id,
    at: Number(id.split('-')[0]),
    kind: named.kind ?? '',
    ...text('job'),
    ...text('operation'),
    ...text('by'),
    ...text('note'),
    ...(named.sandbox === '1' && { sandbox: true as const }),
    balanceUsd: usdOf(named.balance),
    reservedUsd: usdOf(named.reserved),
    heldUsd: usdOf(named.held),
    spentUsd: usdOf(named.spent),
  }
}

/** A list of names and values in turn, as Redis returns hashes to scripts. */
export function namesAndValues(list: readonly string[]): Record<string, string> {
  const pairs = list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? ''] as const] : []))
  return Object.fromEntries(pairs)
}
