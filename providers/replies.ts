import { codeOfStatus, type Fault, type FaultCode, fault } from './faults.ts'
import type { Outcome, Reply, Stage, TaskReference, Video } from './provider.ts'

export function running(ticket: TaskReference, stage: Stage): Outcome {
  return { kind: 'running', ticket, stage }
}

export function failed(code: FaultCode, message: string): Outcome {
  return { kind: 'failed', fault: fault(code, message) }
}

export function unclear(code: FaultCode, message: string): Outcome {
  return { kind: 'unclear', fault: fault(code, message) }
}

/** A poll reply that does not know the task. It does not end the job: a task may be listed late. */
export function taskUnknown(upstream: string): Outcome {
  return unclear('task_lost', `${upstream} does not know the task`)
}

/** A completed task; without a link to a video, it has failed. */
export function completed(upstream: string, video: Video | string | undefined): Outcome {
  if (video === undefined) return failed('no_result', `${upstream} completed the task without a video`)
  return { kind: 'done', videos: [typeof video === 'string' ? { url: video } : video] }
}

/** The reply to a submission; `ticket`: of the task that it names, if it names one. */
export function accepted(
  reply: Reply,
  {
    upstream,
    ticket,
    explain,
  }: { upstream: string; ticket: TaskReference | undefined; explain(reply: Reply): Fault },
): Outcome {
  if (reply.status >= 300) return rejected(reply, explain(reply))
  if (ticket !== undefined) return running(ticket, 'queued')
  return unclear('unreadable_reply', `${upstream} answered a submission without a task ID`)
}

/** A submission that was not accepted: 4xx created no task, any other status may have. */
export function rejected({ status }: Pick<Reply, 'status'>, reason: Fault): Outcome {
  const isCertain = status >= 400 && status < 500 && status !== 408
  return { kind: isCertain ? 'failed' : 'unclear', fault: reason }
}

/** A fault from the HTTP status alone, with how long the upstream asks us to wait. */
export function statusFault(
  reply: Reply,
  message: string,
  code: FaultCode = codeOfStatus(reply.status),
): Fault {
  const seconds = Number(reply.headers['retry-after'])
  const found = fault(code, message)
  return Number.isFinite(seconds) && seconds > 0 ? { ...found, retryAfterMs: seconds * 1000 } : found
}

/** What an upstream's status word means: `failed` ends the task for a reason that its record holds. */
export type TaskStatus = Stage | 'done' | 'failed' | 'canceled' | 'timeout'

type TaskReply = {
  upstream: string
  ticket: TaskReference
  /** Reads the result of a completed task. */
  result(): Outcome
  /** Reads why the task failed. */
  reason(): Fault
}

/** The outcome of a task by its status. A status word that the provider does not list means that the task is processing. */
export function outcomeOf(
  status: TaskStatus = 'processing',
  { upstream, ticket, result, reason }: TaskReply,
): Outcome {
  switch (status) {
    case 'done':
      return result()
    case 'failed':
      return { kind: 'failed', fault: reason() }
    case 'canceled':
      return failed('canceled', `The task was canceled at ${upstream}`)
    case 'timeout':
      return failed('timeout', `The task timed out at ${upstream}`)
    default:
      return running(ticket, status)
  }
}
