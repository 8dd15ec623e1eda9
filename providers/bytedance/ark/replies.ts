import type { EndpointMapping, Order, Outcome, Reply, TaskCandidates, TaskReference } from '../../provider.ts'
import { link, list, number, text } from '../../reader.ts'
import { completed, outcomeOf, rejected, running, type TaskStatus, taskUnknown } from '../../replies.ts'
import { toArkFault, toArkTaskFault } from './faults.ts'

const upstream = 'Ark'
const clockSkewSeconds = 60

const statuses: Readonly<Record<string, TaskStatus>> = {
  queued: 'queued',
  pending: 'queued',
  succeeded: 'done',
  failed: 'failed',
  cancelled: 'canceled',
  canceled: 'canceled',
  expired: 'timeout',
}

export function parseArkSubmission(reply: Reply): Outcome {
  const id = text(reply.body, 'id')
  return reply.status < 300 && id !== undefined
    ? running(arkReferenceOf(id), 'queued')
    : rejected(reply, toArkFault(reply))
}

export function parseArkTask(reply: Reply, ticket: TaskReference): Outcome {
  const { body } = reply
  if (reply.status === 404 && text(body, 'error', 'code') !== undefined) return taskUnknown(upstream)
  const status = reply.status < 300 ? text(body, 'status')?.toLowerCase() : undefined
  if (status === undefined) return { kind: 'unclear', fault: toArkFault(reply) }
  return outcomeOf(statuses[status], {
    upstream,
    ticket,
    result: () => completed(upstream, link(body, 'content', 'video_url')),
    reason: () => toArkTaskFault(body),
  })
}

/**
 * Ark's list holds neither the prompt nor an ID of ours, but the expiry of each task: a length that hardly any two attempts share. The
 * Visual API has no list.
 */
export function parseArkSearch(
  reply: Reply,
  order: Order,
  mapping: EndpointMapping,
): Outcome | { kind: 'absent' } | TaskCandidates {
  if (mapping.host !== 'ark') return { kind: 'absent' }
  if (reply.status >= 300) return { kind: 'unclear', fault: toArkFault(reply) }
  const tasks = list(reply.body, 'items').flatMap((task) => {
    const id = text(task, 'id')
    if (id === undefined || !isOfOrder(task, order)) return []
    const ticket = arkReferenceOf(id)
    return [{ ticket, outcome: running(ticket, 'queued') }]
  })
  return { kind: 'candidates', tasks, same: false }
}

/** Ark's callback holds the task as a poll would return it. */
export function parseArkCallback(body: unknown): TaskReference | undefined {
  const id = text(body, 'id')
  return id === undefined ? undefined : arkReferenceOf(id)
}

export function arkReferenceOf(task: string): TaskReference {
  return { host: 'ark', task }
}

/** Seconds between one and three days, derived from the ID of the attempt. */
export function expirySecondsOf({ attempt }: Order): number {
  return 86_400 + (Number.parseInt(attempt.slice(-12), 16) % 172_800)
}

function isOfOrder(task: unknown, order: Order): boolean {
  const { resolution, duration } = order.input
  const created = number(task, 'created_at')
  return (
    number(task, 'execution_expires_after') === expirySecondsOf(order) &&
    created !== undefined &&
    created >= order.at.getTime() / 1000 - clockSkewSeconds &&
    agrees(text(task, 'resolution'), resolution) &&
    agrees(number(task, 'duration'), duration)
  )
}

function agrees<Value>(listed: Value | undefined, requested: Value | undefined): boolean {
  return listed === undefined || requested === undefined || listed === requested
}
