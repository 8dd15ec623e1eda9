import type { Outcome, Reply, TaskReference } from '../provider.ts'
import { at, link, text } from '../reader.ts'
import { completed, outcomeOf, rejected, running, type TaskStatus, taskUnknown } from '../replies.ts'
import { errorTextOf, toMagicapiFault, toMagicapiTaskFault } from './faults.ts'

const upstream = 'MagicAPI'

const statuses: Readonly<Record<string, TaskStatus>> = {
  IN_QUEUE: 'queued',
  QUEUED: 'queued',
  PENDING: 'queued',
  COMPLETED: 'done',
  FAILED: 'failed',
  CANCELLED: 'canceled',
  TIMED_OUT: 'timeout',
}

/** Of the products `v3` and `v2`: serverless jobs. */
export function parseMagicapiSubmission(reply: Reply, ticket: TaskReference): Outcome {
  const task = text(reply.body, 'id')
  if (reply.status >= 300 || task === undefined) return rejected(reply, toMagicapiFault(reply))
  return running({ ...ticket, task }, 'queued')
}

export function parseMagicapiTask(reply: Reply, ticket: TaskReference): Outcome {
  const { body } = reply
  if (reply.status === 404) return retryOtherPath(reply, ticket)
  const status = reply.status < 300 ? text(body, 'status')?.toUpperCase() : undefined
  if (status === undefined) return { kind: 'unclear', fault: toMagicapiFault(reply) }
  const { second: _, ...others } = ticket
  return outcomeOf(statuses[status], {
    upstream,
    ticket: { ...others, seen: true },
    result: () => completed(upstream, videoOf(body)),
    reason: () => toMagicapiTaskFault(errorTextOf(body)),
  })
}

// The vendor's pages name two status paths for `v3`: until one of them has returned the task, each poll tries both.
function retryOtherPath(reply: Reply, ticket: TaskReference): Outcome {
  if (text(reply.body, 'message') === undefined) return { kind: 'unclear', fault: toMagicapiFault(reply) }
  if (ticket.flavor === 'v3' && ticket.seen !== true && ticket.second !== true) {
    const other = { ...ticket, detour: ticket.detour !== true, second: true }
    return { kind: 'running', ticket: other, stage: 'queued', now: true }
  }
  return taskUnknown(upstream)
}

function videoOf(body: unknown): string | undefined {
  return (
    link(body, 'output', 'video_url') ??
    link(body, 'output', 'url') ??
    link(body, 'output', 'result_url') ??
    link(body, 'output')
  )
}

/** Of the product `capix`: everything is inside `image_process_response`, videos too. */
export function parseCapixSubmission(reply: Reply, ticket: TaskReference): Outcome {
  const response = at(reply.body, 'image_process_response')
  const task = text(response, 'request_id')
  if (reply.status >= 300) return rejected(reply, toMagicapiFault(reply))
  if (hasFailed(response)) return { kind: 'failed', fault: toMagicapiTaskFault(reasonOf(response)) }
  return task === undefined
    ? { kind: 'unclear', fault: toMagicapiFault(reply) }
    : running({ ...ticket, task }, 'queued')
}

export function parseCapixTask(reply: Reply, ticket: TaskReference): Outcome {
  const response = at(reply.body, 'image_process_response')
  const status = text(response, 'status')
  if (reply.status === 404 && text(reply.body, 'message') !== undefined) return taskUnknown(upstream)
  if (reply.status >= 300 || status === undefined) return { kind: 'unclear', fault: toMagicapiFault(reply) }
  if (hasFailed(response)) return { kind: 'failed', fault: toMagicapiTaskFault(reasonOf(response)) }
  const url = status.toUpperCase() === 'OK' ? link(response, 'result_url') : undefined
  return url === undefined ? running(ticket, 'processing') : completed(upstream, url)
}

function hasFailed(response: unknown): boolean {
  return /^(ERROR|FAILED)$/i.test(text(response, 'status') ?? '')
}

function reasonOf(response: unknown): string | undefined {
  return text(response, 'error_message') ?? text(response, 'description')
}
