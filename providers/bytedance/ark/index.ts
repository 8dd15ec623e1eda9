import { fault } from '../../fault.ts'
import type { Order, Outcome, Provider, Ticket } from '../../provider.ts'
import { refusal } from '../../provider.ts'
import { link, list, number, text } from '../../reader.ts'
import { explainReply, explainTask } from './faults.ts'

const tasks = '/contents/generations/tasks'
const clockSkewSeconds = 60

/** The task API of Ark (Volcengine) and ModelArk (BytePlus). */
export const ark = {
  submit(offer, order) {
    const { endpoint, body } = offer.translate(order.input)
    return {
      host: 'ark',
      method: 'POST',
      path: tasks,
      json: {
        model: offer.endpoints[endpoint],
        ...body,
        execution_expires_after: expiryOf(order),
        ...(order.hintUrl !== undefined && { callback_url: order.hintUrl }),
      },
    }
  },

  accept(reply) {
    const id = text(reply.body, 'id')
    return reply.status < 300 && id !== undefined
      ? { kind: 'running', ticket: arkTicketOf(id), stage: 'queued' }
      : refusal(reply, explainReply(reply))
  },

  poll: (ticket) => ({ host: 'ark', method: 'GET', path: pathOf(ticket) }),

  read(reply, ticket) {
    if (reply.status === 404 && text(reply.body, 'error', 'code') !== undefined) {
      return { kind: 'unclear', fault: fault('task_lost', 'Ark does not know the task') }
    }
    const status = reply.status < 300 ? text(reply.body, 'status')?.toLowerCase() : undefined
    if (status === undefined) return { kind: 'unclear', fault: explainReply(reply) }
    return readStatus(status, reply.body, ticket)
  },

  // Stops a task that waits. A running one goes on (409), and a finished one would lose its record.
  cancel: (ticket) => ({ host: 'ark', method: 'DELETE', path: pathOf(ticket) }),
} satisfies Partial<Provider>

/**
 * Ark's list tells neither the prompt nor an id of ours, but it does tell when each task was to expire: a length that
 * hardly any two attempts share. The Visual API has no list at all.
 */
export const findInArk = {
  call: () => ({ host: 'ark', method: 'GET', path: `${tasks}?page_num=1&page_size=500` }),

  read(reply, order, offer) {
    if (offer.host !== 'ark') return { kind: 'absent' }
    if (reply.status >= 300) return { kind: 'unclear', fault: explainReply(reply) }
    const tasks = list(reply.body, 'items').flatMap((task) => {
      const id = text(task, 'id')
      if (id === undefined || !isOf(task, order)) return []
      const ticket = arkTicketOf(id)
      return [{ ticket, outcome: { kind: 'running', ticket, stage: 'queued' } as const }]
    })
    return { kind: 'alike', tasks, same: false }
  },

  safeToResend: false,
} satisfies Provider['find']

/** Ark calls back with the task as a poll would show it. */
export function adoptFromArk(body: unknown): Ticket | undefined {
  const id = text(body, 'id')
  return id === undefined ? undefined : arkTicketOf(id)
}

function readStatus(status: string, task: unknown, ticket: Ticket): Outcome {
  switch (status) {
    case 'queued':
    case 'pending':
      return { kind: 'running', ticket, stage: 'queued' }
    case 'succeeded': {
      const url = link(task, 'content', 'video_url')
      return url === undefined
        ? { kind: 'failed', fault: fault('no_result', 'Ark finished the task without a video') }
        : { kind: 'done', videos: [{ url }] }
    }
    case 'failed':
      return { kind: 'failed', fault: explainTask(task) }
    case 'cancelled':
    case 'canceled':
      return { kind: 'failed', fault: fault('canceled', 'The task was canceled at Ark') }
    case 'expired':
      return { kind: 'failed', fault: fault('timeout', 'Ark gave the task up: it waited too long') }
    default:
      return { kind: 'running', ticket, stage: 'processing' }
  }
}

function isOf(task: unknown, order: Order): boolean {
  const { resolution, duration } = order.input
  const created = number(task, 'created_at')
  return (
    number(task, 'execution_expires_after') === expiryOf(order) &&
    created !== undefined &&
    created >= order.at.getTime() / 1000 - clockSkewSeconds &&
    agrees(text(task, 'resolution'), resolution) &&
    agrees(number(task, 'duration'), duration)
  )
}

function agrees<Value>(listed: Value | undefined, asked: Value | undefined): boolean {
  return listed === undefined || asked === undefined || listed === asked
}

/** Seconds between one and three days, drawn from the attempt's id. */
function expiryOf({ attempt }: Order): number {
  return 86_400 + (Number.parseInt(attempt.slice(-12), 16) % 172_800)
}

export function arkTicketOf(task: string): Ticket {
  return { host: 'ark', task }
}

function pathOf(ticket: Ticket): string {
  return `${tasks}/${encodeURIComponent(String(ticket.task))}`
}
