import type { Outcome, Reply, TaskReference } from '../../provider.ts'
import { at, link, number, text } from '../../reader.ts'
import {
  completed,
  failed,
  outcomeOf,
  rejected,
  running,
  type TaskStatus,
  taskUnknown,
} from '../../replies.ts'
import { toVisualFault } from './faults.ts'

const upstream = "ByteDance's Visual API"
const succeeded = 10_000

const statuses: Readonly<Record<string, TaskStatus>> = {
  in_queue: 'queued',
  done: 'done',
  canceled: 'canceled',
  cancelled: 'canceled',
}

export function parseVisualSubmission(reply: Reply, ticketOf: (task: string) => TaskReference): Outcome {
  const task = text(reply.body, 'data', 'task_id')
  if (isSuccess(reply) && task !== undefined) return running(ticketOf(task), 'queued')
  const { reason, isCertain } = toVisualFault(reply)
  if (isCertain) return { kind: 'failed', fault: reason }
  return hasCode(reply) ? { kind: 'unclear', fault: reason } : rejected(reply, reason)
}

export function parseVisualTask(reply: Reply, ticket: TaskReference): Outcome {
  const status = text(reply.body, 'data', 'status')
  const { reason } = toVisualFault(reply)
  if (!isSuccess(reply) || status === undefined) {
    const isAboutTask = reason.code === 'content_policy' || reason.code === 'invalid_input'
    return { kind: isAboutTask ? 'failed' : 'unclear', fault: reason }
  }
  if (status === 'not_found') return taskUnknown(upstream)
  if (status === 'expired') return failed('task_lost', `${upstream} no longer knows the task`)
  return outcomeOf(statuses[status], {
    upstream,
    ticket,
    result: () => completed(upstream, videoOf(reply.body)),
    reason: () => reason,
  })
}

/** True for a reply in the shape of the Visual API, or of the gateway in front of it. */
export function isVisualReply(reply: Reply): boolean {
  return hasCode(reply) || at(reply.body, 'ResponseMetadata') !== undefined
}

/** BytePlus may put the link inside a JSON text. */
function videoOf(body: unknown): string | undefined {
  const direct = link(body, 'data', 'video_url')
  if (direct !== undefined) return direct
  try {
    return link(JSON.parse(text(body, 'data', 'resp_data') ?? 'null'), 'video_url')
  } catch {
    return undefined
  }
}

// BytePlus may leave the code out of a wrapped reply; an error of the gateway then takes its place.
function isSuccess(reply: Reply): boolean {
  const code = number(reply.body, 'code')
  const hasNoError =
    code === undefined ? at(reply.body, 'ResponseMetadata', 'Error') === undefined : code === succeeded
  return reply.status < 300 && hasNoError
}

function hasCode(reply: Reply): boolean {
  return number(reply.body, 'code') !== undefined
}
