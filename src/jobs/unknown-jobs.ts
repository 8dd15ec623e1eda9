import type { ProviderName } from '../../providers/provider.ts'
import type { Decision, Hold, HoldDecisionReply, Holds, NewDecision } from '../accounts/holds.ts'
import { findModel } from '../catalogue/models/index.ts'
import type { Routing } from '../upstreams/routing.ts'
import { buildAdoptedRecord } from './adoption.ts'
import type { JobStore } from './store/store.ts'

/** A job whose money is on hold, with the IDs to look it up at the upstream. Times are unix ms. */
export type UnknownJob = {
  id: string
  owner: string
  model: string
  costUsd: number
  /** The fault code with which it ended, such as `submission_unknown`. */
  code: string | undefined
  /** Since when its money is on hold. */
  since: number | undefined
  provider: ProviderName | undefined
  /** Our ID of the attempt. Some upstreams use it as the task's. */
  attempt: string | undefined
  /** When the attempt was made. */
  attemptAt: number | undefined
  /** The upstream's ID of the task, if known. */
  task: string | undefined
}

/** `replayed`: the same decision was made before. `other`: a different one was. The other kinds are reasons why no decision was made. */
export type HoldDecisionResult =
  | { kind: 'done'; decision: Decision }
  | { kind: 'replayed'; decision: Decision }
  | { kind: 'other'; decision: Decision }
  | { kind: 'none' | 'gone' | 'changed' | 'sandbox' | 'no_attempt' | 'no_such_task' }
  | { kind: 'taken'; job: string }

type DecisionDetails = { by: string; note?: string }

type UnknownJobsOptions = {
  store: JobStore
  holds: Holds
  routing: Pick<Routing, 'find'>
  /** Values of `Provider.settings`. */
  settingsOf(provider: ProviderName): Readonly<Record<string, string>>
  /** Time limit of an adopted job of this model. */
  deadlineMs(model: string): number
  now?(): number
}

export type UnknownJobs = ReturnType<typeof createUnknownJobs>

/** How often a record that keeps changing is read again. */
const maxTries = 5

/** Jobs whose money is on hold, and the operator's decisions on them. */
export function createUnknownJobs(options: UnknownJobsOptions) {
  const { store, holds, routing, now = Date.now } = options

  async function describeHold(hold: Hold): Promise<UnknownJob> {
    // Holds of version 0.1 lack these fields, which are then read from the record.
    const job = hold.since === undefined ? await store.read(hold.job) : undefined
    const { attempt } = job?.work ?? {}
    const provider = hold.provider ?? attempt?.provider
    const upstream = provider === undefined ? undefined : routing.find({ id: hold.model }, provider)
    const ticket = hold.ticket ?? job?.work.ticket
    const lateReply = (await store.readNotes(hold.job)).find(({ kind }) => kind === 'late_reply')
    return {
      id: hold.job,
      owner: hold.owner,
      model: hold.model,
      costUsd: hold.usd,
      code: hold.code ?? job?.view.error?.code,
      since: hold.since ?? job?.view.completedAt,
      provider,
      attempt: hold.attempt ?? attempt?.id,
      attemptAt: hold.attemptAt ?? attempt?.at,
      task: ticket === undefined ? lateReply?.text : upstream?.provider.task.id(ticket),
    }
  }

  /** `undefined`: no money is on hold for the job, or its owner is not the expected one. */
  async function ownerOf(id: string, expected: string | undefined): Promise<string | undefined> {
    const owner = (await holds.findOwner(id)) ?? (await holds.readDecision(id))?.owner
    return expected === undefined || expected === owner ? owner : undefined
  }

  return {
    async list(): Promise<UnknownJob[]> {
      const jobs = await Promise.all((await holds.listAll()).map(describeHold))
      return jobs.sort((a, b) => (b.since ?? 0) - (a.since ?? 0))
    },

    /** Charges the money on hold for a job, or releases it. */
    async decide(
      id: string,
      { decision, owner, ...details }: DecisionDetails & { decision: 'charge' | 'release'; owner?: string },
    ): Promise<HoldDecisionResult> {
      const jobOwner = await ownerOf(id, owner)
      if (jobOwner === undefined) return { kind: 'none' }
      const newDecision = { decision, ...details }
      return toDecisionResult(await holds.decide(jobOwner, id, newDecision, now()), newDecision)
    },

    /** Resumes a job with a task of its upstream. `ticket`: the upstream's ID of the task. */
    async adopt(
      id: string,
      { ticket, owner, ...details }: DecisionDetails & { ticket: string; owner?: string },
    ): Promise<HoldDecisionResult> {
      const jobOwner = await ownerOf(id, owner)
      if (jobOwner === undefined) return { kind: 'none' }
      const newDecision = { decision: 'adopt', ticket, ...details } as const
      for (let tries = 0; tries < maxTries; tries++) {
        if ((await holds.findOwner(id)) === undefined) {
          const firstDecision = await holds.readDecision(id)
          return firstDecision === undefined
            ? { kind: 'none' }
            : toDecisionResult({ kind: 'decided', first: firstDecision }, newDecision)
        }
        const job = await store.read(id)
        if (job === undefined) return { kind: 'gone' }
        const at = now()
        const adoptedRecord = buildAdoptedRecord(options, job, ticket, at)
        if (typeof adoptedRecord === 'string') return { kind: adoptedRecord }
        const holdResult = await holds.adopt(jobOwner, id, newDecision, adoptedRecord, at)
        if (holdResult.kind !== 'changed') return toDecisionResult(holdResult, newDecision)
      }
      return { kind: 'changed' }
    },
  }
}

/** The time limit of a job of this model, as at its submit. */
export function jobDeadlineMs(model: string, longestJobSeconds: number): number {
  return Math.min(findModel(model)?.deadlineSeconds ?? longestJobSeconds, longestJobSeconds) * 1000
}

function toDecisionResult(
  holdResult: HoldDecisionReply,
  { decision, ticket = '' }: NewDecision,
): HoldDecisionResult {
  if (!('first' in holdResult)) return holdResult
  const { kind, first } = holdResult
  if (kind === 'done') return { kind: 'done', decision: first }
  const isSameDecision = first.decision === decision && (first.ticket ?? '') === ticket
  return isSameDecision ? { kind: 'replayed', decision: first } : { kind: 'other', decision: first }
}

/** Why a decision was not made, as a message for the operator. */
export function explainRefusedDecision(
  id: string,
  result: Exclude<HoldDecisionResult, { kind: 'done' | 'replayed' }>,
): string {
  switch (result.kind) {
    case 'other': {
      const { decision, ticket, at, by } = result.decision
      const task = ticket === undefined ? '' : ` of the task ${ticket}`
      return `The job ${id} was settled before: ${decision}${task} on ${new Date(at).toISOString()} by ${by}`
    }
    case 'none':
      return `No money is on hold for the job ${id}`
    case 'gone':
      return `The record of the job ${id} was deleted or has expired: its money can only be charged or released`
    case 'sandbox':
      return `The job ${id} is a sandbox job, which is never charged: its money can only be released`
    case 'no_attempt':
      return `The job ${id} was sent to no upstream that this gateway still has for its model`
    case 'no_such_task':
      return 'The upstream has no tasks of such an ID'
    case 'taken':
      return `The task belongs to the job ${result.job}`
    case 'changed':
      return `The job ${id} is changing at the moment: try again`
  }
}
