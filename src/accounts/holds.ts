import type { Redis } from 'ioredis'
import type { ProviderName, TaskReference } from '../../providers/provider.ts'
import type { Keys } from '../redis/keys.ts'
import { defineScript, loadScript } from '../redis/script.ts'
import { anonymousCaller } from './access.ts'
import { recordFromPairs } from './account.ts'
import { ledgerRetentionMs, toUsd } from './money.ts'

const decideHoldScript = loadScript('accounts/decide-hold', {
  keys: 'account ledger moneyOnHold decision job notes',
  args: 'id oldestMovement decisionKeepMs historyNote kind owner at by note ticket',
})
const adoptTaskScript = loadScript('accounts/adopt-task', {
  keys: 'account ledger moneyOnHold decision job notes task taskByTicket open history webhooks',
  args: 'id oldestMovement decisionKeepMs historyNote kind owner at by note ticket version view work attempt entry dueAt channel queue',
})

/** Money on hold for a job that has ended, because it is unknown whether its upstream bills it. Times are unix ms. */
export type Hold = {
  job: string
  owner: string
  model: string
  usd: number
  /** When it was put on hold. Holds of version 0.1 lack this field and all fields below. */
  since?: number
  /** The error code of the job. */
  code?: string
  provider?: ProviderName
  /** Our own ID of the attempt. */
  attempt?: string
  attemptAt?: number
  ticket?: TaskReference
}

/** An operator's decision on a hold. */
export type Decision = {
  job: string
  owner: string
  decision: 'charge' | 'release' | 'adopt'
  usd: number
  at: number
  by: string
  note?: string
  /** The upstream's ID of the task that was adopted. */
  ticket?: string
}

/** A decision as the notes of its job contain it. `text`: the operator's note. */
type DecisionNote = { at: number; kind: Decision['decision']; by: string; text?: string }

export type NewDecision = Pick<Decision, 'decision' | 'by' | 'note' | 'ticket'>

/**
 * `decided`: there was an earlier decision; `taken`: the task belongs to another job; `gone`: the job's record was deleted; `changed`: the record has
 * another version; `sandbox`: the job must not be charged.
 */
export type HoldDecisionReply =
  | { kind: 'done' | 'decided'; first: Decision }
  | { kind: 'none' | 'gone' | 'changed' | 'sandbox' }
  | { kind: 'taken'; job: string }

/** The new record of a job that `adopt` continues; `version`: of the record that it replaces. */
export type AdoptedRecord = {
  version: number
  view: string
  work: string
  attempt: string
  event: string
  dueAt: number
  queue: string
  /** The upstream task that the job claims. */
  task: { provider: string; id: string; ticket: TaskReference }
}

export type Holds = ReturnType<typeof createHolds>

/** Money on hold, of all accounts. Each hold needs a decision. */
export function createHolds({ redis, keys }: { redis: Redis; keys: Keys }) {
  const decideInRedis = defineScript(redis, 'reelgateDecide', decideHoldScript)
  const adoptInRedis = defineScript(redis, 'reelgateAdopt', adoptTaskScript)

  const listOwners = async () => [...(await redis.zrange(keys.accounts, 0, '-1')), anonymousCaller.owner]

  async function listByOwner(owner: string): Promise<Hold[]> {
    const entries = await redis.hgetall(keys.moneyOnHold(owner))
    return Object.entries(entries).map(([job, entry]) => parseHold(job, owner, entry))
  }

  const holdKeys = (owner: string, job: string) => ({
    account: keys.account(owner),
    ledger: keys.ledger(owner),
    moneyOnHold: keys.moneyOnHold(owner),
    decision: keys.decision(job),
    job: keys.job(job),
    notes: keys.notes(job),
  })

  function decisionArguments(
    owner: string,
    job: string,
    { decision, by, note = '', ticket = '' }: NewDecision,
    at: number,
  ) {
    const historyNote: DecisionNote = { at, kind: decision, by, ...(note !== '' && { text: note }) }
    return {
      id: job,
      oldestMovement: at - ledgerRetentionMs,
      decisionKeepMs: ledgerRetentionMs,
      historyNote: JSON.stringify(historyNote),
      kind: decision,
      owner,
      at,
      by,
      note,
      ticket,
    }
  }

  return {
    of: listByOwner,

    /** The holds of every account and of anonymous callers. */
    async listAll(): Promise<Hold[]> {
      return (await Promise.all((await listOwners()).map(listByOwner))).flat()
    },

    /** The owner whose money is on hold for a job. */
    async findOwner(job: string): Promise<string | undefined> {
      const recordedOwner = await redis.hget(keys.job(job), 'owner')
      for (const owner of recordedOwner === null ? await listOwners() : [recordedOwner]) {
        if ((await redis.hexists(keys.moneyOnHold(owner), job)) === 1) return owner
      }
      return undefined
    },

    async readDecision(job: string): Promise<Decision | undefined> {
      const fields = await redis.hgetall(keys.decision(job))
      return fields.decision === undefined ? undefined : parseDecision(job, Object.entries(fields).flat())
    },

    async decide(owner: string, job: string, decision: NewDecision, at: number): Promise<HoldDecisionReply> {
      const reply = await decideInRedis<string[]>({
        keys: holdKeys(owner, job),
        args: decisionArguments(owner, job, decision, at),
      })
      return parseReply(job, reply)
    },

    async adopt(
      owner: string,
      job: string,
      decision: NewDecision,
      { version, view, work, attempt, event, dueAt, queue, task }: AdoptedRecord,
      at: number,
    ): Promise<HoldDecisionReply> {
      const reply = await adoptInRedis<string[]>({
        keys: {
          ...holdKeys(owner, job),
          task: keys.task(task.provider, task.id),
          taskByTicket: keys.task(task.provider, JSON.stringify(task.ticket)),
          open: keys.open,
          history: keys.history(job),
          webhooks: keys.webhooks,
        },
        args: {
          ...decisionArguments(owner, job, decision, at),
          version,
          view,
          work,
          attempt,
          entry: event,
          dueAt,
          channel: keys.channel(job),
          queue: keys.queuePrefix(queue),
        },
      })
      return parseReply(job, reply)
    },
  }
}

function parseHold(job: string, owner: string, entry: string): Hold {
  const [reserved, , , model = '', ...details] = entry.split(' ')
  const usd = toUsd(Number(reserved))
  const savedDetails = details.length === 0 ? {} : (JSON.parse(details.join(' ')) as Partial<Hold>)
  return { ...savedDetails, job, owner, model, usd }
}

function parseReply(job: string, [kind, ...details]: readonly string[]): HoldDecisionReply {
  if (kind === 'done' || kind === 'decided') return { kind, first: parseDecision(job, details) }
  if (kind === 'taken') return { kind, job: details[0] ?? '' }
  if (kind === 'gone' || kind === 'changed' || kind === 'sandbox') return { kind }
  return { kind: 'none' }
}

function parseDecision(job: string, fields: readonly string[]): Decision {
  const values = recordFromPairs(fields)
  const textOf = (name: string) => values[name] ?? ''
  return {
    job,
    owner: textOf('owner'),
    decision: textOf('decision') as Decision['decision'],
    usd: toUsd(Number(textOf('micros'))),
    at: Number(textOf('at')),
    by: textOf('by'),
    ...(textOf('note') !== '' && { note: textOf('note') }),
    ...(textOf('ticket') !== '' && { ticket: textOf('ticket') }),
  }
}
