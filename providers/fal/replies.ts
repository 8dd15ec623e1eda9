import { fault } from '../fault.ts'
import type { Outcome, Reply, Ticket } from '../provider.ts'
import { statusFault } from '../provider.ts'
import { at, link, text } from '../reader.ts'
import { explain, typesOf } from './faults.ts'

const longestText = 300
const longestType = 60

/** Answers that are about us or the moment, not about the job. */
const notAboutTheJob = [401, 402, 403, 408, 429]

/** What the status says. A job that failed is COMPLETED as well: only its result tells. */
export function readStatus(reply: Reply, ticket: Ticket): Outcome {
  if (reply.status === 404) return missing(reply)
  if (reply.status >= 300) return { kind: 'unclear', fault: explain(reply) }
  switch (text(reply.body, 'status')) {
    case 'IN_QUEUE':
      return { kind: 'running', ticket, stage: 'queued' }
    case 'IN_PROGRESS':
      return { kind: 'running', ticket, stage: 'processing' }
    case 'COMPLETED':
      return { kind: 'running', ticket: completed(reply, ticket), stage: 'processing', now: true }
    default:
      return { kind: 'unclear', fault: fault('unreadable_reply', 'FAL answered a poll without a status') }
  }
}

/** What the result says: its HTTP status is the model's own, but for the queue's 400 (not yet) and 404 (unknown). */
export function readResult(reply: Reply, ticket: Ticket): Outcome {
  if (reply.status < 300) return readOutput(reply, ticket)
  if (reply.status === 400 && /still in progress/i.test(text(reply.body, 'detail') ?? '')) {
    return { kind: 'running', ticket: { ...ticket, phase: 'status' }, stage: 'processing' }
  }
  const found = explain(reply, ticket)
  if (found.code === 'content_policy') return { kind: 'failed', fault: found }
  if (notAboutTheJob.includes(reply.status)) return { kind: 'unclear', fault: found }
  if (reply.status === 404 && !speaksOfPath(reply)) return missing(reply)
  return { kind: isVerdict(reply, ticket) ? 'failed' : 'unclear', fault: found }
}

function readOutput(reply: Reply, ticket: Ticket): Outcome {
  const output = at(reply.body, 'response') ?? reply.body
  const url = link(output, 'video', 'url') ?? link(output, 'video') ?? link(output, 'video_url')
  const thumbnailUrl = link(output, 'thumbnail', 'url')
  if (url !== undefined) {
    return { kind: 'done', videos: [{ url, ...(thumbnailUrl !== undefined && { thumbnailUrl }) }] }
  }
  if (typeof output !== 'object' || output === null) {
    return {
      kind: 'unclear',
      fault: fault('unreadable_reply', 'FAL answered a result that is no JSON object'),
    }
  }
  if (at(output, 'detail') !== undefined || ticket.error !== undefined) {
    return { kind: 'failed', fault: explain(reply, ticket) }
  }
  return { kind: 'failed', fault: fault('no_result', 'FAL completed the job without a video') }
}

/** True where the answer is that of the job, and not of something on the way to it that may work next time. */
function isVerdict(reply: Reply, ticket: Ticket): boolean {
  if (typeof reply.body === 'string') return false
  if (typesOf(reply, ticket).length > 0 || ticket.error !== undefined) return true
  return reply.status >= 400 && reply.status < 500 && at(reply.body, 'detail') !== undefined
}

/** An app that lacks the endpoint answers so when it is reached, long after the submit. */
function speaksOfPath(reply: Reply): boolean {
  return text(reply.body, 'detail')?.startsWith('Path ') ?? false
}

function missing(reply: Reply): Outcome {
  return { kind: 'unclear', fault: statusFault(reply, 'FAL does not know this request', 'task_lost') }
}

function completed(reply: Reply, ticket: Ticket): Ticket {
  const [error, errorType] = [text(reply.body, 'error'), text(reply.body, 'error_type')]
  return {
    ...ticket,
    phase: 'result',
    // Kept with the job until the next call tells more.
    ...(error !== undefined && { error: error.slice(0, longestText) }),
    ...(errorType !== undefined && { errorType: errorType.slice(0, longestType) }),
  }
}
