import { parseArgs } from 'node:util'
import { countCharacters } from '../../providers/characters.ts'
import { defaultKeysCommand } from '../config.ts'
import { refusalOf, type Settled, type UnknownJobs } from '../jobs/unknown-jobs.ts'
import type { Account } from './account.ts'
import type { Book, Limits } from './book.ts'
import type { Holds } from './holds.ts'
import { isNothing } from './money.ts'
import { anonymous } from './open.ts'
import { longestNote, type Operation, OperationRefused } from './operation.ts'

const usageOf = (keysCommand: string) => `Keys of this gateway. It may be running or not.

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

/** Of a key's name, in characters. */
const longestName = 256
/** Of an upstream's ID of a task. */
const longestTask = 200

/** Thrown for a command that cannot be followed; the message is for whoever typed it. */
export class CommandError extends Error {
  override name = 'CommandError'
}

type Deps = {
  book: Book
  holds: Pick<Holds, 'of'>
  unknown: UnknownJobs
  /** How this command is run, as its help says. */
  keysCommand?: string
}

/** Does what a command line asks for and answers the text to print. */
export async function command(deps: Deps, args: readonly string[]): Promise<string> {
  const { book, holds, unknown, keysCommand = defaultKeysCommand } = deps
  const { values, positionals } = read(args)
  const [verb = 'help', id = '', ...rest] = positionals
  if (verb === 'help') return usageOf(keysCommand)
  if (verb === 'create') {
    const name = values.name?.trim() ?? ''
    if (name === '') throw new CommandError('A key needs a name: --name NAME')
    if (name.length > longestName)
      throw new CommandError(`--name must have at most ${longestName} characters; it has ${name.length}`)
    const made = book.create({ name, ...limitsOf(values) }, operationOf(values))
    const { key, account } = await made.catch(refuse)
    return `${key}\n\nThis is shown once. Its id is ${account.id}.\n${table([account])}`
  }
  if (verb === 'list') return table(await book.list())
  if (verb === 'unknown') return json(await unknown.list())
  if (id !== anonymous.owner && (await book.read(id)) === undefined)
    throw new CommandError(`There is no key ${id === '' ? 'without an id' : id}; see \`list\``)
  await follow(deps, verb, id, rest, values)
  if (verb === 'ledger') return json(await book.ledger(id, 1000))
  if (verb === 'held') return json(await holds.of(id))
  const account = await book.read(id)
  return account === undefined ? '' : table([account])
}

async function follow(
  { book, unknown, keysCommand = defaultKeysCommand }: Deps,
  verb: string,
  id: string,
  rest: readonly string[],
  values: Values,
): Promise<void> {
  if (verb === 'ledger' || verb === 'held') return
  if (verb === 'resolve') return resolve(unknown, id, rest, values)
  if (id === anonymous.owner) throw new CommandError('Callers without a key have no limits and no balance')
  if (verb === 'limit') return book.limit(id, limitsOf(values)).catch(refuse)
  if (verb === 'revoke') return book.revoke(id)
  if (verb !== 'topup') throw new CommandError(`There is no command ${verb}\n\n${usageOf(keysCommand)}`)
  const usd = numberOf('USD', rest[0] ?? '', -mostUsd)
  if (isNothing(usd)) throw new CommandError('USD must be at least 0.000001, or at most -0.000001')
  return book.topUp(id, usd, operationOf(values)).catch(refuse)
}

/** Who decides on a command line, as the ledger says it. */
const by = 'command line'

async function resolve(
  unknown: UnknownJobs,
  owner: string,
  [job = '', decision, ticket = '']: readonly string[],
  values: Values,
): Promise<void> {
  const wish = { owner, by, ...noteOf(values) }
  let settled: Settled
  if (decision === 'charge' || decision === 'release')
    settled = await unknown.decide(job, { ...wish, decision })
  else if (ticket.length > longestTask)
    throw new CommandError(`TASK must have at most ${longestTask} characters`)
  else if (decision === 'adopt' && ticket !== '') settled = await unknown.adopt(job, { ...wish, ticket })
  else throw new CommandError('The decision must be charge, release, or adopt TASK')
  if (settled.kind !== 'done' && settled.kind !== 'replayed') throw new CommandError(refusalOf(job, settled))
}

function noteOf({ note }: Values): { note?: string } {
  if (note !== undefined && countCharacters(note) > longestNote)
    throw new CommandError(`--note must have at most ${longestNote} characters`)
  return note === undefined ? {} : { note }
}

function operationOf(values: Values): Operation {
  const { operation } = values
  if (operation !== undefined && !/^[\x21-\x7e]{1,255}$/.test(operation))
    throw new CommandError('--operation must be 1 to 255 printable ASCII characters without spaces')
  return { ...(operation !== undefined && { id: operation }), ...noteOf(values) }
}

function refuse(cause: unknown): never {
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

function read(args: readonly string[]) {
  try {
    // A negative amount is no option.
    const negative = args.findIndex((arg) => /^-[\d.]+$/.test(arg))
    const before = negative < 0 ? args : args.slice(0, negative)
    const { values, positionals } = parseArgs({
      args: [...before, ...(negative < 0 ? [] : args.slice(negative + 1))],
      options,
      allowPositionals: true,
    })
    return { values, positionals: negative < 0 ? positionals : [...positionals, args[negative] ?? ''] }
  } catch (cause) {
    throw new CommandError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function limitsOf(values: Values): Limits {
  const limit = (name: 'rpm' | 'daily-usd' | 'balance') => {
    const told = values[name]
    return told === undefined ? undefined : told === 'none' ? null : numberOf(`--${name}`, told)
  }
  const [rpm, dailyUsd, balanceUsd] = [limit('rpm'), limit('daily-usd'), limit('balance')]
  if (typeof rpm === 'number' && (rpm < 1 || !Number.isInteger(rpm)))
    throw new CommandError('--rpm must be a whole number from 1')
  return {
    ...(rpm !== undefined && { rpm }),
    ...(dailyUsd !== undefined && { dailyUsd }),
    ...(balanceUsd !== undefined && { balanceUsd }),
  }
}

const mostUsd = 1e9

function numberOf(name: string, told: string, least = 0): number {
  const value = Number(told)
  if (told.trim() !== '' && value >= least && value <= mostUsd) return value
  throw new CommandError(`${name} must be a number from ${least} to ${mostUsd}; it is "${told}"`)
}

function table(accounts: readonly Account[]): string {
  if (accounts.length === 0) return 'There are no keys.\n'
  const rows = accounts.map((account) => [
    account.id,
    account.name,
    `…${account.hint}`,
    account.revokedAt === undefined ? 'valid' : 'revoked',
    String(account.rpm ?? 'usual'),
    dollars(account.dailyUsd),
    dollars(account.balanceUsd),
    dollars(account.reservedUsd),
    dollars(account.heldUsd),
    dollars(account.spentUsd),
  ])
  const head = ['id', 'name', 'key', 'state', 'rpm', 'a day', 'balance', 'reserved', 'held', 'spent']
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[head, ...rows].map(line).join('\n')}\n`
}

function dollars(usd: number | undefined): string {
  return usd === undefined ? 'any' : `$${usd}`
}

function json(entries: readonly unknown[]): string {
  return `${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n`
}
