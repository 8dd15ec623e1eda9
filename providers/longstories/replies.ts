import { type FaultCode, speaksOfPolicy } from '../faults.ts'
import type { Outcome, Reply, Stage, TaskReference } from '../provider.ts'
import { at, flag, link, text } from '../reader.ts'
import { accepted, completed, failed, running, unclear } from '../replies.ts'
import { messageOf, toLongstoriesFault } from './faults.ts'

const upstream = 'LongStories'

const stages: Readonly<Record<string, Stage>> = {
  WAITING_FOR_DEPLOY: 'queued',
  QUEUED: 'queued',
  DELAYED: 'queued',
  EXECUTING: 'processing',
  REATTEMPTING: 'processing',
  FROZEN: 'processing',
}

const failures: Readonly<Record<string, FaultCode>> = {
  CANCELED: 'canceled',
  TIMED_OUT: 'timeout',
  EXPIRED: 'timeout',
  FAILED: 'upstream_error',
  CRASHED: 'upstream_error',
  INTERRUPTED: 'upstream_error',
  SYSTEM_FAILURE: 'upstream_error',
}

export function parseLongstoriesSubmission(reply: Reply, ticketOf: (run: string) => TaskReference): Outcome {
  const run = [at(reply.body, 'data'), reply.body].map((body) => text(body, 'id') ?? text(body, 'runId'))
  const id = run.find((one) => one !== undefined)
  const ticket = id === undefined ? undefined : ticketOf(id)
  return accepted(reply, { upstream, ticket, explain: toLongstoriesFault })
}

/** The flags `isCompleted` and `isSuccess` take precedence over the status word. */
export function parseLongstoriesTask(reply: Reply, ticket: TaskReference): Outcome {
  if (reply.status === 404) return unclear('task_lost', messageOf(reply))
  if (reply.status >= 300) return { kind: 'unclear', fault: toLongstoriesFault(reply) }
  const run = at(reply.body, 'data') ?? reply.body
  const status = text(run, 'status')?.toUpperCase() ?? ''
  const isSuccess = flag(run, 'isSuccess')
  const hasEnded = isSuccess === true || status === 'COMPLETED' || failures[status] !== undefined
  if (flag(run, 'isCompleted') ?? hasEnded) {
    return (isSuccess ?? status === 'COMPLETED')
      ? completed(upstream, link(run, 'output', 'url'))
      : failureOf(run, status)
  }
  const stage = stages[status]
  if (stage !== undefined) return running(ticket, stage)
  if (flag(run, 'isCompleted') === false) return running(ticket, 'processing')
  return unclear('unreadable_reply', 'LongStories answered without a run status')
}

function failureOf(run: unknown, status: string): Outcome {
  const message = text(run, 'error', 'message') ?? text(run, 'error')
  if (message !== undefined && speaksOfPolicy(message)) return failed('content_policy', message)
  const code = failures[status] ?? 'upstream_error'
  return failed(code, message ?? `The run ended as ${status.slice(0, 40) || 'failed'}`)
}
