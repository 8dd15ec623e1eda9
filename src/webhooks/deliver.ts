import type { Logger } from 'pino'
import { isTerminal, type View } from '../jobs/job.ts'
import type { Store } from '../jobs/store/store.ts'
import type { Next } from '../jobs/store/transition.ts'
import type { SafeFetch } from '../net/safe-fetch.ts'
import type { Gate } from './gate.ts'
import type { Entry, Outbox } from './outbox.ts'
import type { Secrets } from './secrets.ts'
import { messageOf, type Sent, send } from './send.ts'

/** Nothing is tried any more this long after the job has ended, or was replayed. */
const longestMs = 86_400_000

type Parts = {
  store: Pick<Store, 'read'>
  outbox: Outbox
  secrets: Secrets
  gate: Gate
  ask: SafeFetch['fetch']
  stopping: AbortSignal
  /** How long to wait after each attempt that failed. */
  retriesMs: readonly number[]
  logger: Logger
}

/** One attempt to tell a job's end to whom it may concern. */
export async function deliver(parts: Parts, id: string): Promise<Next> {
  const { store, outbox, secrets, gate } = parts
  const job = (await store.read(id)) ?? (await outbox.deletedJob(id))
  if (job?.webhook === undefined || !isTerminal(job.view.state)) {
    await outbox.drop(id)
    return { kind: 'end' }
  }
  const { owner, view, webhook } = job
  const [open, disabled, log, signing] = await Promise.all([
    outbox.isOpen(id),
    outbox.isDisabled(owner, webhook.url),
    outbox.log(id),
    secrets.signing(owner),
  ])
  if (!open) return { kind: 'end' }
  if (disabled) {
    await outbox.note(id, { at: Date.now(), outcome: 'disabled', version: view.version })
    return { kind: 'end' }
  }
  const place = gate.enter(owner, webhook.url)
  if ('waitMs' in place) {
    const at = Date.now() + place.waitMs
    await outbox.postpone(id, at)
    return { kind: 'wait', at }
  }
  const at = Date.now()
  let well = false
  try {
    const message = messageOf(view, webhook.address)
    const sent = await send(parts, webhook.url, message, signing)
    // Cut short by a stop: nothing is known, and the next process tries again.
    if (sent.kind === 'unanswered' && parts.stopping.aborted) return { kind: 'wait', at }
    well = isWell(sent)
    const entry = { ...entryOf(sent, at, nextAt(parts.retriesMs, view, log)), version: view.version }
    if (entry.outcome === 'gone') await outbox.disable(owner, webhook.url, at)
    await outbox.note(id, entry)
    if (!well) parts.logger.warn({ job: id, ...entry }, 'a webhook was not delivered')
    return entry.nextAt === undefined ? { kind: 'end' } : { kind: 'wait', at: entry.nextAt }
  } finally {
    place.leave(well)
  }
}

function isWell(sent: Sent): boolean {
  return sent.kind === 'answered' && sent.status >= 200 && sent.status < 300
}

function entryOf(sent: Sent, at: number, next: number | undefined): Entry {
  const told = sent.kind === 'answered' ? { status: sent.status } : { error: sent.error }
  const entry = { at, tookMs: Date.now() - at, ...told }
  if (isWell(sent)) return { ...entry, outcome: 'delivered' }
  if (sent.kind === 'answered' && sent.status === 410) return { ...entry, outcome: 'gone' }
  if (sent.kind === 'refused' || next === undefined) return { ...entry, outcome: 'gave_up' }
  return { ...entry, outcome: 'failed', nextAt: next }
}

/** When to try again, were this attempt to fail; `undefined`: it is the last one. */
function nextAt(retriesMs: readonly number[], view: View, log: readonly Entry[]): number | undefined {
  // A job that an operator let go on has attempts of its first end.
  const own = log.filter(({ version }) => version === undefined || version === view.version)
  const replayed = own.findLastIndex(({ outcome }) => outcome === 'replayed')
  const began = own[replayed]?.at ?? view.completedAt ?? view.createdAt
  const delay = retriesMs[own.length - replayed - 1]
  if (delay === undefined) return undefined
  const at = Math.round(Date.now() + delay * (0.75 + Math.random() / 2))
  return at - began > longestMs ? undefined : at
}
