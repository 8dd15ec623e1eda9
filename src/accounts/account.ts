import { toUsd } from './money.ts'

/** An account has one key. Money in USD; an absent limit or balance is none. */
export type Account = {
  id: string
  name: string
  /** The last characters of the key. */
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

/** One entry of the ledger: the changes, in USD. */
export type Movement = {
  id: string
  at: number
  kind: string
  job?: string
  /** The ID of the operation that requested it. */
  operation?: string
  /** Who decided it. */
  by?: string
  note?: string
  /** It belongs to a sandbox job, which is free. */
  sandbox?: true
  balanceUsd: number
  reservedUsd: number
  heldUsd: number
  spentUsd: number
}

const parseUsd = (micros: string | undefined) => toUsd(Number(micros ?? 0))

/** An account from its hash. */
export function toAccount(id: string, fields: Readonly<Record<string, string>>): Account {
  const { name = '', hint = '', createdAt, revokedAt, rpm, daily, balance } = fields
  return {
    id,
    name,
    hint,
    createdAt: Number(createdAt),
    ...(revokedAt !== undefined && { revokedAt: Number(revokedAt) }),
    ...(rpm !== undefined && { rpm: Number(rpm) }),
    ...(daily !== undefined && { dailyUsd: parseUsd(daily) }),
    ...(balance !== undefined && { balanceUsd: parseUsd(balance) }),
    reservedUsd: parseUsd(fields.reserved),
    heldUsd: parseUsd(fields.held),
    spentUsd: parseUsd(fields.spent),
  }
}

/** A movement from its entry in the ledger's stream. */
export function toMovement(id: string, fields: readonly string[]): Movement {
  const values = recordFromPairs(fields)
  const optionalText = (name: 'job' | 'operation' | 'by' | 'note') => {
    const value = values[name] ?? ''
    return value === '' ? {} : { [name]: value }
  }
  return {
    id,
    at: Number(id.split('-')[0]),
    kind: values.kind ?? '',
    ...optionalText('job'),
    ...optionalText('operation'),
    ...optionalText('by'),
    ...optionalText('note'),
    ...(values.sandbox === '1' && { sandbox: true as const }),
    balanceUsd: parseUsd(values.balance),
    reservedUsd: parseUsd(values.reserved),
    heldUsd: parseUsd(values.held),
    spentUsd: parseUsd(values.spent),
  }
}

/** Converts a list of alternating names and values, as Redis returns hashes to scripts. */
export function recordFromPairs(list: readonly string[]): Record<string, string> {
  const entries = list.flatMap((name, index) =>
    index % 2 === 0 ? [[name, list[index + 1] ?? ''] as const] : [],
  )
  return Object.fromEntries(entries)
}
