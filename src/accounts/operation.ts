import { createHash, randomUUID } from 'node:crypto'

/** `id`: repetitions of a change have the same ID and are applied once. Absent: a random ID, which protects only against commands that ioredis resends. */
export type AccountOperation = { id?: string; note?: string }

/** How long operation IDs are remembered: as long as idempotency keys of submits, and far longer than ioredis repeats a command. */
export const operationRetentionMs = 86_400_000

/** The longest note of a change, in characters. */
export const maxNoteLength = 200

/** Why a change of an account was rejected. */
type OperationRefusal =
  | { kind: 'reused' }
  | { kind: 'created'; id: string }
  | { kind: 'negative'; balanceUsd: number | undefined }
  | { kind: 'absent' }

/** Thrown when a change of an account is rejected. Nothing was written. */
export class OperationRefused extends Error {
  override name = 'OperationRefused'
  readonly reason: OperationRefusal
  constructor(reason: OperationRefusal) {
    super(messages[reason.kind](reason as never))
    this.reason = reason
  }
}

const messages = {
  reused: () => 'This operation key came with another request before',
  created: ({ id }: { id: string }) =>
    `This operation key created the key ${id} before. A key is shown once only: revoke it and create another one`,
  negative: ({ balanceUsd }: { balanceUsd: number | undefined }) =>
    balanceUsd === undefined
      ? 'The account has no balance that could be reduced'
      : `The balance is ${balanceUsd} USD and cannot become negative`,
  absent: () => 'There is no such key',
}

export function operationIdOf({ id }: AccountOperation): string {
  return id ?? randomUUID()
}

/** Distinguishes different requests with the same operation ID. */
export function fingerprintOperation(...values: (string | number | null | undefined)[]): string {
  const encodedValues = values.map((value) => (value === undefined ? '' : JSON.stringify(value)))
  return createHash('sha256').update(encodedValues.join('\n')).digest('hex')
}
