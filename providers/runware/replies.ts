import { fault } from '../fault.ts'
import type { Outcome, Reply, Ticket } from '../provider.ts'
import { at, flag, link, list, number, text } from '../reader.ts'
import { explain, tellsOfOurAccount } from './faults.ts'

/** What a reply to `getResponse` says of a task. `absent`: it is not listed, so either not known or not visible yet. */
export function judge(reply: Reply, taskUUID: string): Outcome | { kind: 'absent' } {
  const error = errorAbout(reply.body, taskUUID)
  if (error !== undefined) {
    // A failed job is told under HTTP 200 and 400 alike; trouble with our key says nothing about the job.
    const kind = tellsOfOurAccount(text(error, 'code')) ? 'unclear' : 'failed'
    return { kind, fault: explain(reply, error) }
  }
  const stray = errorAboutNoTask(reply.body)
  if (reply.status >= 300 || stray !== undefined) return { kind: 'unclear', fault: explain(reply, stray) }
  if (!isEnvelope(reply.body)) {
    return { kind: 'unclear', fault: fault('unreadable_reply', 'Runware answered a poll with no list') }
  }
  const row = rowAbout(reply.body, taskUUID)
  return row === undefined ? { kind: 'absent' } : judgeRow(row, { taskUUID })
}

function judgeRow(row: unknown, ticket: Ticket): Outcome {
  const status = text(row, 'status')
  const url = link(row, 'videoURL') ?? link(row, 'mediaURL')
  if (status === 'success' || (status === undefined && url !== undefined)) return finished(row, url)
  if (status === undefined || /^(queued|pending|scheduled|waiting)$/.test(status)) {
    return { kind: 'running', ticket, stage: 'queued' }
  }
  const progress = number(row, 'progress')
  const told = progress !== undefined && progress >= 0 && progress <= 100
  return { kind: 'running', ticket, stage: 'processing', ...(told && { progress }) }
}

function finished(row: unknown, url: string | undefined): Outcome {
  if (url !== undefined) {
    const costUsd = number(row, 'cost')
    return { kind: 'done', videos: [{ url }], ...(costUsd !== undefined && { costUsd }) }
  }
  if (flag(row, 'NSFWContent') === true) {
    return { kind: 'failed', fault: fault('content_policy', 'Content policy: Runware held the result back') }
  }
  return { kind: 'failed', fault: fault('no_result', 'Runware completed the task without a video') }
}

/** The error that names this task: in `errors`, alone in `error`, or inside the task's own row. */
export function errorAbout(body: unknown, taskUUID: string): unknown {
  const listed = list(body, 'errors').find((error) => text(error, 'taskUUID') === taskUUID)
  if (listed !== undefined) return listed
  if (text(body, 'taskUUID') === taskUUID && at(body, 'error') !== undefined) return at(body, 'error')
  const row = rowAbout(body, taskUUID)
  return text(row, 'status') === 'error' ? (at(row, 'error') ?? row) : undefined
}

/** An error that names no task is about the call as a whole; each of ours holds one task. */
export function errorAboutNoTask(body: unknown): unknown {
  return [...list(body, 'errors'), at(body, 'error')].find(
    (error) => text(error, 'code') !== undefined && text(error, 'taskUUID') === undefined,
  )
}

/** Whether a body is in Runware's shape: `data` is a list, or one row in older samples. */
export function isEnvelope(body: unknown): boolean {
  const rows = at(body, 'data')
  return typeof rows === 'object' && rows !== null
}

function rowAbout(body: unknown, taskUUID: string): unknown {
  return [...list(body, 'data'), at(body, 'data')].find((row) => text(row, 'taskUUID') === taskUUID)
}
