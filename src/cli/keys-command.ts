import { parseArgs } from 'node:util'
import { countCharacters } from '../../providers/characters.ts'
import { anonymousCaller } from '../accounts/access.ts'
import type { Account } from '../accounts/account.ts'
import type { Holds } from '../accounts/holds.ts'
import type { AccountLimits, Ledger } from '../accounts/ledger.ts'
import { isZeroUsd } from '../accounts/money.ts'
import { type AccountOperation, maxNoteLength, OperationRefused } from '../accounts/operation.ts'
import { defaultKeysCommand } from '../config/access-settings.ts'
import { explainRefusedDecision, type HoldDecisionResult, type UnknownJobs } from '../jobs/unknown-jobs.ts'

const describeUsage = (
  keysCommand: string,
) => `Manages the API keys of this gateway, whether it is running or not.

  ${keysCommand} create --name NAME [--rpm 50] [--daily-usd 20] [--balance 100]
  ${keysCommand} list
  ${keysCommand} limit ID [--rpm N|none] [--daily-usd N|none] [--balance N|none]
  ${keysCommand} topup ID USD [--note TEXT] [--operation KEY]
  ${keysCommand} revoke ID
  ${keysCommand} ledger ID
  ${keysCommand} held ID
  ${keysCommand} unknown
  ${keysCommand} resolve ID JOB charge|release [--note TEXT]
  ${keysCommand} resolve ID JOB adopt TASK [--note TEXT]

ID is what \`list\` shows; the key itself is shown once, by \`create\`. Jobs of callers without a key have the ID anonymous.
USD may be negative. The same --operation KEY is applied once in 24 hours. TASK is the upstream's ID of a task.
`

/** The longest name of a key, in characters. */
const maxNameLength = 256
/** The longest task ID of an upstream. */
const maxTaskIdLength = 200

/** Thrown for an invalid command. The message is for the operator. */
export class CommandError extends Error {
  override name = 'CommandError'
}

type KeysCommandDeps = {
  ledger: Ledger
  holds: Pick<Holds, 'of'>
  unknownJobs: UnknownJobs
  /** How this command is run; the help shows it. */
  keysCommand?: string
}

/** Executes a command and returns the text to print. */
export async function runKeysCommand(deps: KeysCommandDeps, args: readonly string[]): Promise<string> {
  const { ledger, holds, unknownJobs, keysCommand = defaultKeysCommand } = deps
  const { values, positionals } = parseCommandLine(args)
  const [verb = 'help', id = '', ...rest] = positionals
  if (verb === 'help') return describeUsage(keysCommand)
  if (verb === 'create') {
    const name = values.name?.trim() ?? ''
    if (name === '') throw new CommandError('A key needs a name: --name NAME')
    if (name.length > maxNameLength)
      throw new CommandError(`--name must have at most ${maxNameLength} characters; it has ${name.length}`)
    const creation = ledger.createAccount({ name, ...readLimits(values) }, readOperation(values))
    const { key, account } = await creation.catch(rethrow)
    return `${key}\n\nThis is shown once. Its id is ${account.id}.\n${formatTable([account])}`
  }
  if (verb === 'list') return formatTable(await ledger.listAccounts())
  if (verb === 'unknown') return formatJsonLines(await unknownJobs.list())
  if (id !== anonymousCaller.owner && (await ledger.read(id)) === undefined)
    throw new CommandError(`There is no key ${id === '' ? 'without an id' : id}; see \`list\``)
  await runOnAccount(deps, verb, id, rest, values)
  if (verb === 'ledger') return formatJsonLines(await ledger.listMovements(id, 1000))
  if (verb === 'held') return formatJsonLines(await holds.of(id))
  const account = await ledger.read(id)
  return account === undefined ? '' : formatTable([account])
}

async function runOnAccount(
  { ledger, unknownJobs, keysCommand = defaultKeysCommand }: KeysCommandDeps,
  verb: string,
  id: string,
  rest: readonly string[],
  values: Values,
): Promise<void> {
  if (verb === 'ledger' || verb === 'held') return
  if (verb === 'resolve') return resolveHold(unknownJobs, id, rest, values)
  if (id === anonymousCaller.owner)
    throw new CommandError('Callers without a key have no limits and no balance')
  if (verb === 'limit') return ledger.setLimits(id, readLimits(values)).catch(rethrow)
  if (verb === 'revoke') return ledger.revokeAccount(id)
  if (verb !== 'topup') throw new CommandError(`There is no command ${verb}\n\n${describeUsage(keysCommand)}`)
  const usd = parseNumber('USD', rest[0] ?? '', -maxUsd)
  if (isZeroUsd(usd)) throw new CommandError('USD must be at least 0.000001, or at most -0.000001')
  return ledger.topUp(id, usd, readOperation(values)).catch(rethrow)
}

/** The author of decisions made on the command line, as the ledger shows it. */
const decidedBy = 'command line'

async function resolveHold(
  unknownJobs: UnknownJobs,
  owner: string,
  [jobId = '', decision, taskId = '']: readonly string[],
  values: Values,
): Promise<void> {
  const details = { owner, by: decidedBy, ...readNote(values) }
  let result: HoldDecisionResult
  if (decision === 'charge' || decision === 'release')
    result = await unknownJobs.decide(jobId, { ...details, decision })
  else if (taskId.length > maxTaskIdLength)
    throw new CommandError(`TASK must have at most ${maxTaskIdLength} characters`)
  else if (decision === 'adopt' && taskId !== '')
    result = await unknownJobs.adopt(jobId, { ...details, ticket: taskId })
  else throw new CommandError('The decision must be charge, release, or adopt TASK')
  if (result.kind !== 'done' && result.kind !== 'replayed')
    throw new CommandError(explainRefusedDecision(jobId, result))
}

function readNote({ note }: Values): { note?: string } {
  if (note !== undefined && countCharacters(note) > maxNoteLength)
    throw new CommandError(`--note must have at most ${maxNoteLength} characters`)
  return note === undefined ? {} : { note }
}

function readOperation(values: Values): AccountOperation {
  const { operation } = values
  if (operation !== undefined && !/^[\x21-\x7e]{1,255}$/.test(operation))
    throw new CommandError('--operation must be 1 to 255 printable ASCII characters without spaces')
  return { ...(operation !== undefined && { id: operation }), ...readNote(values) }
}

function rethrow(cause: unknown): never {
  throw cause instanceof OperationRefused ? new CommandError(cause.message, { cause }) : cause
}

const options = {
  name: { type: 'string' },
  rpm: { type: 'string' },
  'daily-usd': { type: 'string' },
  balance: { type: 'string' },
  note: { type: 'string' },
  operation: { type: 'string' },
} as const

type Values = Readonly<Partial<Record<keyof typeof options, string>>>

function parseCommandLine(args: readonly string[]) {
  try {
    // parseArgs would read a negative amount as an option.
    const amountIndex = args.findIndex((arg) => /^-[\d.]+$/.test(arg))
    const argsBeforeAmount = amountIndex < 0 ? args : args.slice(0, amountIndex)
    const { values, positionals } = parseArgs({
      args: [...argsBeforeAmount, ...(amountIndex < 0 ? [] : args.slice(amountIndex + 1))],
      options,
      allowPositionals: true,
    })
    return { values, positionals: amountIndex < 0 ? positionals : [...positionals, args[amountIndex] ?? ''] }
  } catch (cause) {
    throw new CommandError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function readLimits(values: Values): AccountLimits {
  const readLimit = (name: 'rpm' | 'daily-usd' | 'balance') => {
    const text = values[name]
    return text === undefined ? undefined : text === 'none' ? null : parseNumber(`--${name}`, text)
  }
  const [rpm, dailyUsd, balanceUsd] = [readLimit('rpm'), readLimit('daily-usd'), readLimit('balance')]
  if (typeof rpm === 'number' && (rpm < 1 || !Number.isInteger(rpm)))
    throw new CommandError('--rpm must be a whole number from 1')
  return {
    ...(rpm !== undefined && { rpm }),
    ...(dailyUsd !== undefined && { dailyUsd }),
    ...(balanceUsd !== undefined && { balanceUsd }),
  }
}

const maxUsd = 1e9

function parseNumber(name: string, text: string, min = 0): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= maxUsd) return value
  throw new CommandError(`${name} must be a number from ${min} to ${maxUsd}; it is "${text}"`)
}

function formatTable(accounts: readonly Account[]): string {
  if (accounts.length === 0) return 'There are no keys.\n'
  const rows = accounts.map((account) => [
    account.id,
    account.name,
    `…${account.hint}`,
    account.revokedAt === undefined ? 'valid' : 'revoked',
    String(account.rpm ?? 'default'),
    formatUsd(account.dailyUsd),
    formatUsd(account.balanceUsd),
    formatUsd(account.reservedUsd),
    formatUsd(account.heldUsd),
    formatUsd(account.spentUsd),
  ])
  const header = ['id', 'name', 'key', 'state', 'rpm', 'per day', 'balance', 'reserved', 'held', 'spent']
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const formatRow = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[header, ...rows].map(formatRow).join('\n')}\n`
}

function formatUsd(usd: number | undefined): string {
  return usd === undefined ? 'unlimited' : `$${usd}`
}

function formatJsonLines(entries: readonly unknown[]): string {
  return `${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n`
}
