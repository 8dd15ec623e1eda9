import type { Redis } from 'ioredis'
import type { ProviderName, Ticket } from '../../providers/provider.ts'
import { answered } from '../jobs/engine.ts'
import type { Note } from '../jobs/job.ts'
import type { Keys } from '../redis/keys.ts'
import { namesAndValues } from './account.ts'
import * as scripts from './hold-scripts.ts'
import { booksKeptMs, toUsd } from './money.ts'
import { anonymous } from './open.ts'

/** Money of a job that has ended, while nobody knows whether its upstream bills it. Times are unix ms. */
export type Hold = {
  job: string
  owner: string
  model: string
  usd: number
  /** When it was put on hold. This and what follows is absent from holds of version 0.1. */
  since?: number
  /** How the job ended. */
  code?: string
  provider?: ProviderName
  /** Our own ID of the attempt. */
  attempt?: string
  attemptAt?: number
  ticket?: Ticket
}

/** What somebody decided on a hold. */
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

export type NewDecision = Pick<Decision, 'decision' | 'by' | 'note' | 'ticket'>

/** `decided`: somebody was first; `taken`: the task is another job's; `gone`: the record is; `changed`: the record is not what it was; `sandbox`: the job must not be charged. */
export type Decided =
  | { kind: 'done' | 'decided'; first: Decision }
  | { kind: 'none' | 'gone' | 'changed' | 'sandbox' }
  | { kind: 'taken'; job: string }

/** The record that `adopt` writes, made from its `version`. */
export type Revival = {
  version: number
  view: string
  work: string
  attempt: string
  event: string
  dueAt: number
  queue: string
  /** The provider and its task, as they are claimed. */
  task: { provider: string; id: string; ticket: Ticket }
}

export type Holds = ReturnType<typeof createHolds>

/** Money on hold, over all accounts. The holds themselves are the list of what is to be decided. */
export function createHolds({ redis, keys }: { redis: Redis; keys: Keys }) {
  redis.defineCommand('reelgateDecide', { lua: scripts.decide, numberOfKeys: 6 })
  redis.defineCommand('reelgateAdopt', { lua: scripts.adopt, numberOfKeys: 11 })
  const commands = redis as unknown as Record<
    'reelgateDecide' | 'reelgateAdopt',
    (...args: (string | number)[]) => Promise<string[]>
  >

  const owners = async () => [...(await answered(redis.zrange(keys.accounts, 0, '-1'))), anonymous.owner]

  async function of(owner: string): Promise<Hold[]> {
    const entries = await answered(redis.hgetall(keys.held(owner)))
    return Object.entries(entries).map(([job, entry]) => readHold(job, owner, entry))
  }

  const keysOf = (owner: string, job: string) => [
    keys.account(owner),
    keys.ledger(owner),
    keys.held(owner),
    keys.decision(job),
    keys.job(job),
    keys.notes(job),
  ]

  function commonOf(job: string, { decision, by, note = '' }: NewDecision, at: number) {
    const entry: Note = { at, kind: decision, by, ...(note !== '' && { text: note }) }
    return [job, at - booksKeptMs, booksKeptMs, JSON.stringify(entry), decision, by, note]
  }

  function fieldsOf(owner: string, { decision, by, note = '', ticket = '' }: NewDecision, at: number) {
    return ['decision', decision, 'owner', owner, 'at', at, 'by', by, 'note', note, 'ticket', ticket]
  }

  return {
    of,

    /** Of every account and of anonymous callers. */
    async list(): Promise<Hold[]> {
      return (await Promise.all((await owners()).map(of))).flat()
    },

    /** Whose money is on hold for a job. */
    async ownerOf(job: string): Promise<string | undefined> {
      const first = await answered(redis.hget(keys.job(job), 'owner'))
      for (const owner of first === null ? await owners() : [first]) {
        if ((await answered(redis.hexists(keys.held(owner), job))) === 1) return owner
      }
      return undefined
    },

    async firstDecision(job: string): Promise<Decision | undefined> {
      const fields = await answered(redis.hgetall(keys.decision(job)))
      return fields.decision === undefined ? undefined : readDecision(job, Object.entries(fields).flat())
    },

    async decide(owner: string, job: string, decision: NewDecision, at: number): Promise<Decided> {
      const args = [...commonOf(job, decision, at), ...fieldsOf(owner, decision, at)]
      return readDecided(job, await answered(commands.reelgateDecide(...keysOf(owner, job), ...args)))
    },

    async adopt(
      owner: string,
      job: string,
      decision: NewDecision,
      { version, view, work, attempt, event, dueAt, queue, task }: Revival,
      at: number,
    ): Promise<Decided> {
      const adopting = commands.reelgateAdopt(
        ...keysOf(owner, job),
        keys.task(task.provider, task.id),
        keys.task(task.provider, JSON.stringify(task.ticket)),
        keys.open,
        keys.events(job),
        keys.webhooks,
        ...commonOf(job, decision, at),
        version,
        view,
        work,
        attempt,
        event,
        dueAt,
        keys.channel(job),
        keys.queue(queue),
        at,
        ...fieldsOf(owner, decision, at),
      )
      return readDecided(job, await answered(adopting))
    },
  }
}

function readHold(job: string, owner: string, entry: string): Hold {
  const [reserved, , , model = '', ...details] = entry.split(' ')
  const usd = toUsd(Number(reserved))
  const known = details.length === 0 ? {} : (JSON.parse(details.join(' ')) as Partial<Hold>)
  return { ...known, job, owner, model, usd }
}

function readDecided(job: string, [kind, ...fields]: readonly string[]): Decided {
  if (kind === 'done' || kind === 'decided') return { kind, first: readDecision(job, fields) }
  if (kind === 'taken') return { kind, job: fields[0] ?? '' }
  if (kind === 'gone' || kind === 'changed' || kind === 'sandbox') return { kind }
  return { kind: 'none' }
}

function readDecision(job: string, fields: readonly string[]): Decision {
  const named = namesAndValues(fields)
  const text = (name: string) => named[name] ?? ''
  return {
    job,
    owner: text('owner'),
    decision: text('decision') as Decision['decision'],
    usd: toUsd(Number(text('micros'))),
    at: Number(text('at')),
    by: text('by'),
    ...(text('note') !== '' && { note: text('note') }),
    ...(text('ticket') !== '' && { ticket: text('ticket') }),
  }
}
