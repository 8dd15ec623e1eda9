import { fault } from '../faults.ts'
import type { Outcome, Reply, TaskReference } from '../provider.ts'
import { at, link, text } from '../reader.ts'
import { accepted, completed, running, statusFault, unclear } from '../replies.ts'
import { errorTypesOf, toFalFault } from './faults.ts'

const longestText = 300
const longestType = 60

/** Statuses that are about us or the moment, not about the job. */
const notAboutTheJob = [401, 402, 403, 408, 429]

export function parseFalSubmission(reply: Reply): Outcome {
  return accepted(reply, { upstream: 'FAL', ticket: referenceOf(reply), explain: toFalFault })
}

export function parseFalTask(reply: Reply, ticket: TaskReference): Outcome {
  return ticket.phase === 'result' ? parseResult(reply, ticket) : parseStatus(reply, ticket)
}

/** A failed job is COMPLETED as well: only its result shows the failure. */
function parseStatus(reply: Reply, ticket: TaskReference): Outcome {
  if (reply.status === 404) return requestUnknown(reply)
  if (reply.status >= 300) return { kind: 'unclear', fault: toFalFault(reply) }
  switch (text(reply.body, 'status')) {
    case 'IN_QUEUE':
      return running(ticket, 'queued')
    case 'IN_PROGRESS':
      return running(ticket, 'processing')
    case 'COMPLETED':
      return { kind: 'running', ticket: resultReferenceOf(reply, ticket), stage: 'processing', now: true }
    default:
      return unclear('unreadable_reply', 'FAL answered a poll without a status')
  }
}

/** The HTTP status of a result is the model's own, except the queue's 400 (not yet) and 404 (unknown). */
function parseResult(reply: Reply, ticket: TaskReference): Outcome {
  if (reply.status < 300) return parseOutput(reply, ticket)
  if (reply.status === 400 && /still in progress/i.test(text(reply.body, 'detail') ?? '')) {
    return running({ ...ticket, phase: 'status' }, 'processing')
  }
  const reason = toFalFault(reply, ticket)
  if (reason.code === 'content_policy') return { kind: 'failed', fault: reason }
  if (notAboutTheJob.includes(reply.status)) return { kind: 'unclear', fault: reason }
  if (reply.status === 404 && !namesPath(reply)) return requestUnknown(reply)
  return { kind: isAboutTheJob(reply, ticket) ? 'failed' : 'unclear', fault: reason }
}

function parseOutput(reply: Reply, ticket: TaskReference): Outcome {
  const output = at(reply.body, 'response') ?? reply.body
  const url = link(output, 'video', 'url') ?? link(output, 'video') ?? link(output, 'video_url')
  const thumbnailUrl = link(output, 'thumbnail', 'url')
  if (url !== undefined) return completed('FAL', { url, ...(thumbnailUrl !== undefined && { thumbnailUrl }) })
  if (typeof output !== 'object' || output === null)
    return unclear('unreadable_reply', 'FAL answered a result that is not a JSON object')
  if (at(output, 'detail') !== undefined || ticket.error !== undefined)
    return { kind: 'failed', fault: toFalFault(reply, ticket) }
  return completed('FAL', undefined)
}

/** False for an error on the way to the job, which may be gone at the next poll. */
function isAboutTheJob(reply: Reply, ticket: TaskReference): boolean {
  if (typeof reply.body === 'string') return false
  if (errorTypesOf(reply, ticket).length > 0 || ticket.error !== undefined) return true
  return reply.status >= 400 && reply.status < 500 && at(reply.body, 'detail') !== undefined
}

/** An app that lacks the endpoint answers so when the job reaches it, long after the submission. */
function namesPath(reply: Reply): boolean {
  return text(reply.body, 'detail')?.startsWith('Path ') ?? false
}

function requestUnknown(reply: Reply): Outcome {
  return { kind: 'unclear', fault: statusFault(reply, 'FAL does not know this request', 'task_lost') }
}

function resultReferenceOf(reply: Reply, ticket: TaskReference): TaskReference {
  const [error, errorType] = [text(reply.body, 'error'), text(reply.body, 'error_type')]
  return {
    ...ticket,
    phase: 'result',
    // Stored with the job until the next call returns more.
    ...(error !== undefined && { error: error.slice(0, longestText) }),
    ...(errorType !== undefined && { errorType: errorType.slice(0, longestType) }),
  }
}

/** Only IDs that begin with these have three segments before `/requests`. */
const namespaces = ['workflows', 'comfy']

/** Of FAL's addresses; a task with longer ones is found by its ID, as a ticket must stay small to be stored. */
const longestPath = 512

/**
 * Paths below our base URL, so that the key is never sent elsewhere and tasks follow a base URL that changes later. `undefined`: the reply
 * names no task.
 */
function referenceOf({ body, baseUrl }: Reply): TaskReference | undefined {
  const id = text(body, 'request_id')
  if (id === undefined) return undefined
  const urls = [text(body, 'status_url'), text(body, 'response_url'), text(body, 'cancel_url')]
  const [status, response, cancel] = urls.map((url) => pathBelow(baseUrl, url))
  if (status !== undefined && response !== undefined && cancel !== undefined) {
    return { phase: 'status', id, status, response, cancel }
  }
  const known = urls.find((url) => url !== undefined && URL.canParse(url))
  return known === undefined ? undefined : rebuildFalReference(new URL(known).pathname.slice(1), id)
}

/** The ticket of a task whose ID alone is known. FAL drops all segments of an endpoint ID after those of the app. */
export function rebuildFalReference(endpoint: string, id: string): TaskReference | undefined {
  const segments = endpoint.split('/')
  const app = segments.slice(0, namespaces.includes(segments[0] ?? '') ? 3 : 2)
  if (app.length < 2 || app.includes('requests') || !/^[\w-]+$/.test(id)) return undefined
  const task = `/${app.join('/')}/requests/${id}`
  return { phase: 'status', id, status: `${task}/status`, response: task, cancel: `${task}/cancel` }
}

function pathBelow(baseUrl: string, url: string | undefined): string | undefined {
  const path = url?.startsWith(`${baseUrl}/`) ? url.slice(baseUrl.length) : undefined
  return path !== undefined && path.length <= longestPath ? path : undefined
}

/** The second step of an upload: the file goes to the link of the reply. */
export function parseFalUpload(reply: Reply, contentType: string) {
  if (reply.status >= 300) return { kind: 'failed', fault: toFalFault(reply) } as const
  const [target, url] = [link(reply.body, 'upload_url'), link(reply.body, 'file_url')]
  if (target === undefined || url === undefined) {
    const reason = fault('unreadable_reply', 'FAL answered an upload without a link to send it to')
    return { kind: 'failed', fault: reason } as const
  }
  const headers = { 'content-type': contentType }
  return { kind: 'next', call: { method: 'PUT', path: target, headers, media: 'body' }, url } as const
}
