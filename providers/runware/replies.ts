import type { Order, Outcome, Reply, TaskReference } from '../provider.ts'
import { at, flag, link, list, number, text } from '../reader.ts'
import { completed, failed, rejected, running, taskUnknown, unclear } from '../replies.ts'
import { isAboutAccount, isServerError, toRunwareFault } from './faults.ts'

const upstream = 'Runware'

export function parseRunwareSubmission(reply: Reply, { attempt }: Order): Outcome {
  const error = errorOf(reply.body, attempt) ?? errorWithoutTask(reply.body)
  const code = text(error, 'code')
  // Runware has a task with this ID already: an earlier try of the same call has arrived.
  if (code === 'conflictTaskUUID') return running({ taskUUID: attempt }, 'queued')
  const reason = toRunwareFault(reply, error)
  if (isServerError(code)) return { kind: 'unclear', fault: reason }
  if (error !== undefined && reply.status < 300) return { kind: 'failed', fault: reason }
  if (reply.status >= 300) return rejected(reply, reason)
  if (isEnvelope(reply.body)) return running({ taskUUID: attempt }, 'queued')
  return unclear('unreadable_reply', 'Runware answered a submission without a list')
}

export function parseRunwareTask(reply: Reply, ticket: TaskReference): Outcome {
  const taskUUID = String(ticket.taskUUID)
  if (text(errorOf(reply.body, taskUUID), 'code') === 'taskNotFound') return taskUnknown(upstream)
  const outcome = parseListed(reply, taskUUID)
  // A task that was just accepted may not be listed yet.
  return outcome.kind === 'absent' ? running(ticket, 'queued') : outcome
}

export function parseRunwareSearch(reply: Reply, { attempt }: Order): Outcome | { kind: 'absent' } {
  const isUnknown = text(errorOf(reply.body, attempt), 'code') === 'taskNotFound'
  return isUnknown ? { kind: 'absent' } : parseListed(reply, attempt)
}

/** A reply to `getResponse`. `absent`: the task is not listed, so it is not known, or not visible yet. */
function parseListed(reply: Reply, taskUUID: string): Outcome | { kind: 'absent' } {
  const error = errorOf(reply.body, taskUUID)
  if (error !== undefined) {
    // A failed job has HTTP 200 or 400; an error about our key says nothing about the job.
    const kind = isAboutAccount(text(error, 'code')) ? 'unclear' : 'failed'
    return { kind, fault: toRunwareFault(reply, error) }
  }
  const callError = errorWithoutTask(reply.body)
  if (reply.status >= 300 || callError !== undefined)
    return { kind: 'unclear', fault: toRunwareFault(reply, callError) }
  if (!isEnvelope(reply.body)) return unclear('unreadable_reply', 'Runware answered a poll without a list')
  const row = rowOf(reply.body, taskUUID)
  return row === undefined ? { kind: 'absent' } : outcomeOfRow(row, { taskUUID })
}

function outcomeOfRow(row: unknown, ticket: TaskReference): Outcome {
  const status = text(row, 'status')
  const url = link(row, 'videoURL') ?? link(row, 'mediaURL')
  if (status === 'success' || (status === undefined && url !== undefined)) return resultOf(row, url)
  if (status === undefined || /^(queued|pending|scheduled|waiting)$/.test(status)) {
    return running(ticket, 'queued')
  }
  const progress = number(row, 'progress')
  const isPercent = progress !== undefined && progress >= 0 && progress <= 100
  return { kind: 'running', ticket, stage: 'processing', ...(isPercent && { progress }) }
}

function resultOf(row: unknown, url: string | undefined): Outcome {
  if (url === undefined && flag(row, 'NSFWContent') === true)
    return failed('content_policy', 'Runware flagged the result as NSFW')
  const costUsd = number(row, 'cost')
  return { ...completed(upstream, url), ...(url !== undefined && costUsd !== undefined && { costUsd }) }
}

/** The error that names this task: in `errors`, alone in `error`, or inside the task's own row. */
function errorOf(body: unknown, taskUUID: string): unknown {
  const listed = list(body, 'errors').find((error) => text(error, 'taskUUID') === taskUUID)
  if (listed !== undefined) return listed
  if (text(body, 'taskUUID') === taskUUID && at(body, 'error') !== undefined) return at(body, 'error')
  const row = rowOf(body, taskUUID)
  return text(row, 'status') === 'error' ? (at(row, 'error') ?? row) : undefined
}

/** An error that names no task is about the whole call; each of ours holds one task. */
function errorWithoutTask(body: unknown): unknown {
  return [...list(body, 'errors'), at(body, 'error')].find(
    (error) => text(error, 'code') !== undefined && text(error, 'taskUUID') === undefined,
  )
}

/** True for a body in Runware's shape: `data` is a list, or one row in older samples. */
function isEnvelope(body: unknown): boolean {
  const rows = at(body, 'data')
  return typeof rows === 'object' && rows !== null
}

function rowOf(body: unknown, taskUUID: string): unknown {
  return [...list(body, 'data'), at(body, 'data')].find((row) => text(row, 'taskUUID') === taskUUID)
}
