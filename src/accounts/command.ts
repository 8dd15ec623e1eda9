import { parseArgs } from 'node:util'
import type { Account, Book, Limits } from './book.ts'

const usage = `Keys of this gateway. It may be running or not.

  npm run keys -- create --name NAME [--rpm 50] [--daily-usd 20] [--balance 100]
  npm run keys -- list
  npm run keys -- limit ID [--rpm N|none] [--daily-usd N|none] [--balance N|none]
  npm run keys -- topup ID USD
  npm run keys -- revoke ID
  npm run keys -- ledger ID
  npm run keys -- held ID
  npm run keys -- resolve ID JOB charge|release

ID is what \`list\` shows; the key itself is shown once, by \`create\`.
`

/** Thrown for a command that cannot be followed; the message is for whoever typed it. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** Does what a command line asks for and answers the text to print. */
export async function command(book: Book, args: readonly string[]): Promise<string> {
  const { values, positionals } = read(args)
  const [verb = 'help', id = '', ...rest] = positionals
  if (verb === 'help') return usage
  if (verb === 'create') {
    const name = values.name?.trim() ?? ''
    if (name === '') throw new CommandError('A key needs a name: --name NAME')
    const { key, account } = await book.create({ name, ...limitsOf(values) })
    return `${key}\n\nThis is shown once. Its id is ${account.id}.\n${table([account])}`
  }
  if (verb === 'list') return table(await book.list())
  if ((await book.read(id)) === undefined)
    throw new CommandError(`There is no key ${id === '' ? 'without an id' : id}; see \`list\``)
  await follow(book, verb, id, rest, values)
  if (verb === 'ledger') return json(await book.ledger(id, 1000))
  if (verb === 'held') return json(await book.held(id))
  const account = await book.read(id)
  return account === undefined ? '' : table([account])
}

async function follow(
  book: Book,
  verb: string,
  id: string,
  rest: readonly string[],
  values: Values,
): Promise<void> {
  if (verb === 'ledger' || verb === 'held') return
  if (verb === 'limit') return book.limit(id, limitsOf(values))
  if (verb === 'revoke') return book.revoke(id)
  if (verb === 'topup') return book.topUp(id, numberOf('USD', rest[0] ?? ''))
  if (verb !== 'resolve') throw new CommandError(`There is no command ${verb}\n\n${usage}`)
  const [job = '', decision] = rest
  if (decision !== 'charge' && decision !== 'release') throw new CommandError('Say charge or release')
  if (!(await book.resolve(id, job, decision))) throw new CommandError(`Nothing is held for the job ${job}`)
}

const options = {
  name: { type: 'string' },
  rpm: { type: 'string' },
  'daily-usd': { type: 'string' },
  balance: { type: 'string' },
} as const

type Values = Readonly<Partial<Record<keyof typeof options, string>>>

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
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

function numberOf(name: string, told: string): number {
  const value = Number(told)
  if (told.trim() !== '' && value >= 0 && value <= mostUsd) return value
  throw new CommandError(`${name} must be a number from 0 to ${mostUsd}; it is "${told}"`)
}

function table(accounts: readonly Account[]): string {
  if (accounts.length === 0) return 'There are no keys: everybody on this machine may come in.\n'
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
