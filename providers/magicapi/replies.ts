import { fault } from '../fault.ts'
import type { Outcome, Reply, Ticket } from '../provider.ts'
import { refusal } from '../provider.ts'
import { link, text } from '../reader.ts'
import { explainReply, explainTask, reasonOf } from './faults.ts'

/** How the flavours `v3` and `v2` answer: a job id at first, then the words of a serverless worker. */
export function acceptJob(reply: Reply, ticket: Ticket): Outcome {
  const task = text(reply.body, 'id')
  if (reply.status >= 300 || task === undefined) return refusal(reply, explainReply(reply))
  return { kind: 'running', ticket: { ...ticket, task }, stage: 'queued' }
}

export function readJob(reply: Reply, ticket: Ticket): Outcome {
  if (reply.status === 404) return missing(reply, ticket)
  const status = reply.status < 300 ? text(reply.body, 'status')?.toUpperCase() : undefined
  if (status === undefined) return { kind: 'unclear', fault: explainReply(reply) }
  const { second: _, ...own } = ticket
  return readStatus(status, reply.body, { ...own, seen: true })
}

// The vendor's pages name two status paths for `v3`: as long as neither has known the task, each poll asks both.
function missing(reply: Reply, ticket: Ticket): Outcome {
  if (text(reply.body, 'message') === undefined) return { kind: 'unclear', fault: explainReply(reply) }
  if (ticket.flavor === 'v3' && ticket.seen !== true && ticket.second !== true) {
    const other = { ...ticket, detour: ticket.detour !== true, second: true }
    return { kind: 'running', ticket: other, stage: 'queued', now: true }
  }
  return { kind: 'unclear', fault: fault('task_lost', 'MagicAPI does not know the task') }
}

function readStatus(status: string, body: unknown, ticket: Ticket): Outcome {
  switch (status) {
    case 'IN_QUEUE':
    case 'QUEUED':
    case 'PENDING':
      return { kind: 'running', ticket, stage: 'queued' }
    case 'COMPLETED': {
      const url = videoOf(body)
      return url === undefined
        ? { kind: 'failed', fault: fault('no_result', 'MagicAPI finished the task without a video') }
        : { kind: 'done', videos: [{ url }] }
    }
    case 'FAILED':
      return { kind: 'failed', fault: explainTask(reasonOf(body)) }
    case 'CANCELLED':
      return { kind: 'failed', fault: fault('canceled', 'The task was canceled at MagicAPI') }
    case 'TIMED_OUT':
      return { kind: 'failed', fault: fault('timeout', 'MagicAPI gave the task up: it took too long') }
    default:
      return { kind: 'running', ticket, stage: 'processing' }
  }
}

function videoOf(body: unknown): string | undefined {
  return (
    link(body, 'output', 'video_url') ??
    link(body, 'output', 'url') ??
    link(body, 'output', 'result_url') ??
    link(body, 'output')
  )
}
