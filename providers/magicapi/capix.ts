import { fault } from '../fault.ts'
import type { Outcome, Reply, Ticket } from '../provider.ts'
import { refusal } from '../provider.ts'
import { at, link, text } from '../reader.ts'
import { explainReply, explainTask } from './faults.ts'

/** How the flavour `capix` answers: everything inside `image_process_response`, videos too. */
export function acceptCapix(reply: Reply, ticket: Ticket): Outcome {
  const told = at(reply.body, 'image_process_response')
  const task = text(told, 'request_id')
  if (reply.status >= 300) return refusal(reply, explainReply(reply))
  if (hasFailed(told)) return { kind: 'failed', fault: explainTask(reasonOf(told)) }
  return task === undefined
    ? { kind: 'unclear', fault: explainReply(reply) }
    : { kind: 'running', ticket: { ...ticket, task }, stage: 'queued' }
}

export function readCapix(reply: Reply, ticket: Ticket): Outcome {
  const told = at(reply.body, 'image_process_response')
  if (reply.status === 404 && text(reply.body, 'message') !== undefined) {
    return { kind: 'unclear', fault: fault('task_lost', 'MagicAPI does not know the task') }
  }
  if (reply.status >= 300 || text(told, 'status') === undefined) {
    return { kind: 'unclear', fault: explainReply(reply) }
  }
  if (hasFailed(told)) return { kind: 'failed', fault: explainTask(reasonOf(told)) }
  const url = text(told, 'status')?.toUpperCase() === 'OK' ? link(told, 'result_url') : undefined
  return url === undefined
    ? { kind: 'running', ticket, stage: 'processing' }
    : { kind: 'done', videos: [{ url }] }
}

function hasFailed(told: unknown): boolean {
  return /^(ERROR|FAILED)$/i.test(text(told, 'status') ?? '')
}

function reasonOf(told: unknown): string | undefined {
  return text(told, 'error_message') ?? text(told, 'description')
}
