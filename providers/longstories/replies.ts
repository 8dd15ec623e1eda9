import { type Fault, type FaultCode, fault, speaksOfPolicy } from '../fault.ts'
import { type Outcome, type Reply, type Stage, statusFault, type Ticket } from '../provider.ts'
import { at, flag, link, text } from '../reader.ts'

const stages: Readonly<Record<string, Stage>> = {
  WAITING_FOR_DEPLOY: 'queued',
  QUEUED: 'queued',
  DELAYED: 'queued',
  EXECUTING: 'processing',
  REATTEMPTING: 'processing',
  FROZEN: 'processing',
}

const endings: Readonly<Record<string, FaultCode>> = {
  CANCELED: 'canceled',
  TIMED_OUT: 'timeout',
  EXPIRED: 'timeout',
  FAILED: 'upstream_error',
  CRASHED: 'upstream_error',
  INTERRUPTED: 'upstream_error',
  SYSTEM_FAILURE: 'upstream_error',
}

/** What the status of a run says; the two switches count before the word. */
export function readRun(reply: Reply, ticket: Ticket): Outcome {
  const { status, body } = reply
  if (status === 404) return { kind: 'unclear', fault: fault('task_lost', messageOf(reply)) }
  if (status >= 300) return { kind: 'unclear', fault: explain(reply) }
  const run = at(body, 'data') ?? body
  const word = text(run, 'status')?.toUpperCase() ?? ''
  const success = flag(run, 'isSuccess')
  const completed =
    flag(run, 'isCompleted') ?? (success === true || word === 'COMPLETED' || endings[word] !== undefined)
  if (completed) return (success ?? word === 'COMPLETED') ? finished(run) : failed(run, word)
  const stage = stages[word]
  if (stage !== undefined) return { kind: 'running', ticket, stage }
  if (flag(run, 'isCompleted') === false) return { kind: 'running', ticket, stage: 'processing' }
  return { kind: 'unclear', fault: fault('unreadable_reply', 'LongStories answered without a run status') }
}

/** Why the service refused a call; no list of its error codes is published, so the HTTP status decides. */
export function explain(reply: Reply): Fault {
  const said = messageOf(reply)
  const refused =
    (reply.status === 400 || reply.status === 403 || reply.status === 422) && speaksOfPolicy(said)
  return refused ? contentRefusal(said) : statusFault(reply, said)
}

function finished(run: unknown): Outcome {
  const url = link(run, 'output', 'url')
  if (url !== undefined) return { kind: 'done', videos: [{ url }] }
  return { kind: 'failed', fault: fault('no_result', 'The run succeeded without a video') }
}

function failed(run: unknown, word: string): Outcome {
  const said = text(run, 'error', 'message') ?? text(run, 'error')
  if (said !== undefined && speaksOfPolicy(said)) return { kind: 'failed', fault: contentRefusal(said) }
  const code = endings[word] ?? 'upstream_error'
  return { kind: 'failed', fault: fault(code, said ?? `The run ended as ${word.slice(0, 40) || 'failed'}`) }
}

function messageOf({ status, body }: Reply): string {
  return (
    text(body, 'error', 'message') ??
    text(body, 'error') ??
    text(body, 'message') ??
    `LongStories answered with HTTP ${status}`
  )
}

function contentRefusal(said: string): Fault {
  const clear = /policy|nsfw|safety|moderation|flagged/i.test(said)
  return fault('content_policy', clear ? said : `Content policy: ${said}`)
}
