import { toMicros } from '../../src/accounts/money.ts'
import type { Job } from '../../src/jobs/job.ts'
import type { Ended } from './invariants.ts'
import { settings } from './settings.ts'

const price = toMicros(settings.priceUsd)

/** Each balance field is the sum of its movements, and each job has moved its price exactly once. */
export async function findMoneyBroken(
  { redis, keys, jobs, upstreams }: Ended,
  records: ReadonlyMap<string, Job>,
): Promise<string[]> {
  const broken: string[] = []
  for (const owner of ['ann', 'bob']) {
    const accountFields = await redis.hgetall(keys.account(owner))
    const onHold = await redis.hgetall(keys.moneyOnHold(owner))
    const movements = (await redis.xrange(keys.ledger(owner), '-', '+')).map(([, fields]) =>
      toMovement(fields),
    )
    const sum = (field: string) =>
      movements.reduce((total, movement) => total + Number(movement[field] ?? 0), 0)
    const amount = (field: string) => Number(accountFields[field] ?? 0)
    const start = owner === 'ann' ? toMicros(settings.balanceUsd) : 0
    for (const field of ['reserved', 'held', 'spent'])
      if (sum(field) !== amount(field))
        broken.push(`${owner}: ${field} is ${amount(field)}, its movements add up to ${sum(field)}`)
    if (owner === 'ann' && start + sum('balance') !== amount('balance'))
      broken.push(`${owner}: the balance differs from its movements`)
    if (
      owner === 'ann' &&
      amount('balance') + amount('reserved') + amount('held') + amount('spent') !== start
    )
      broken.push(`${owner}: money is not conserved: ${JSON.stringify(accountFields)}`)
    if (amount('reserved') !== 0) broken.push(`${owner}: ${amount('reserved')} stay reserved`)
    if (amount('held') !== Object.keys(onHold).length * price)
      broken.push(`${owner}: held is ${amount('held')}, for ${Object.keys(onHold)}`)
    for (const movement of movements)
      if (movement.kind === 'hold' && Number(movement.held) !== price)
        broken.push(`${owner}: ${movement.job} holds ${movement.held}`)
    for (const job of jobs.filter((one) => one.owner === owner)) {
      const kinds = movements.filter((movement) => movement.job === job.id).map(({ kind }) => kind)
      const record = records.get(job.id)
      if (record === undefined) continue
      const isPurchased = Object.values(upstreams).some(({ purchases }) =>
        purchases.some(({ jobId }) => jobId === job.id),
      )
      if (!expected(record, isPurchased).test(kinds.join(' ')))
        broken.push(
          `${job.id}: the ledger shows ${kinds.join(' ')} for ${record.view.state} ${record.view.error?.code ?? ''}`,
        )
    }
  }
  return broken
}

/** The movements of a job, in order. Whoever adopts a task takes the job's money off hold, and it ends again. */
function expected({ view: { state, error }, work, withdrawn }: Job, isPurchased: boolean): RegExp {
  if (withdrawn) return /^reserve release$/
  const before = '^reserve( hold adopt)*'
  if (state === 'succeeded') return new RegExp(`${before} charge$`)
  if (state === 'canceled') return new RegExp(`${before} ${isPurchased ? '(charge|release)' : 'release'}$`)
  const isUnknown =
    error?.code === 'submission_unknown' || (error?.code === 'task_lost' && work.takenAt !== undefined)
  return new RegExp(isUnknown ? `${before} hold( charge| release)?$` : `${before} release$`)
}

function toMovement(fields: readonly string[]): Record<string, string> {
  const movement: Record<string, string> = {}
  for (let at = 0; at < fields.length; at += 2) movement[fields[at] ?? ''] = fields[at + 1] ?? ''
  return movement
}
