import type { Fault } from '../../fault.ts'
import { fault } from '../../fault.ts'
import type { Order, Outcome, Provider, Reply, Ticket } from '../../provider.ts'
import { refusal } from '../../provider.ts'
import { at, link, number, text } from '../../reader.ts'
import { explain } from './faults.ts'

/** The two places that run the Visual API. Keys of one do not open the other. */
export const platforms = {
  byteplus: { version: '2024-06-06', reqKey: 'realman_avatar_picture_omni15_cv' },
  volcengine: { version: '2022-08-31', reqKey: 'jimeng_realman_avatar_picture_omni_v15' },
} as const

type Platform = keyof typeof platforms

export const settings = {
  VOLC_PLATFORM: {
    default: 'byteplus',
    description: 'Whose Visual API the keys are for; with `volcengine`, set VOLC_BASE_URL too',
    choices: Object.keys(platforms),
  },
  VOLC_REQ_KEY: {
    default: '',
    description: 'The `req_key` of OmniHuman, where the one that the platform is known by no longer serves',
  },
} satisfies Provider['settings']

const succeeded = 10_000

/** The signed Visual API: every call is a POST to one path, told apart by its Action. */
export const visual = {
  submit(offer, order) {
    const { endpoint, body } = offer.translate(order.input)
    const { platform, reqKey } = placeOf(order)
    return act(offer.endpoints[endpoint] ?? endpoint, platform, { req_key: reqKey, ...body })
  },

  accept(reply, order) {
    const task = text(reply.body, 'data', 'task_id')
    if (isFine(reply) && task !== undefined) {
      return { kind: 'running', ticket: visualTicketOf(task, order), stage: 'queued' }
    }
    const { fault: refused, certain } = explain(reply)
    if (certain) return { kind: 'failed', fault: refused }
    return isCoded(reply) ? { kind: 'unclear', fault: refused } : refusal(reply, refused)
  },

  poll: (ticket) => act('CVGetResult', platformOf(ticket), taskOf(ticket)),

  read(reply, ticket) {
    const status = text(reply.body, 'data', 'status')
    if (isFine(reply) && status !== undefined) return readStatus(status, reply, ticket)
    const { fault: told } = explain(reply)
    return { kind: endsTheTask(told) ? 'failed' : 'unclear', fault: told }
  },

  // Volcengine has no way to stop a task: it is asked for its state instead, which changes nothing.
  cancel: (ticket) =>
    act(
      platformOf(ticket) === 'byteplus' ? 'CVCancelTask' : 'CVGetResult',
      platformOf(ticket),
      taskOf(ticket),
    ),
} satisfies Partial<Provider>

/** True for an answer in the Visual API's own shape, or its gate's. */
export function isVisual(reply: Reply): boolean {
  return isCoded(reply) || at(reply.body, 'ResponseMetadata') !== undefined
}

function readStatus(status: string, reply: Reply, ticket: Ticket): Outcome {
  switch (status) {
    case 'in_queue':
      return { kind: 'running', ticket, stage: 'queued' }
    case 'done': {
      const url = videoOf(reply.body)
      return url === undefined
        ? { kind: 'failed', fault: fault('no_result', 'The Visual API finished the task without a video') }
        : { kind: 'done', videos: [{ url }] }
    }
    case 'not_found':
      return { kind: 'unclear', fault: fault('task_lost', 'The Visual API does not know the task') }
    case 'expired':
      return { kind: 'failed', fault: fault('task_lost', 'The Visual API no longer knows the task') }
    case 'canceled':
    case 'cancelled':
      return { kind: 'failed', fault: fault('canceled', 'The task was canceled at the Visual API') }
    default:
      return { kind: 'running', ticket, stage: 'processing' }
  }
}

/** BytePlus may tell the link inside a JSON text. */
function videoOf(body: unknown): string | undefined {
  const direct = link(body, 'data', 'video_url')
  if (direct !== undefined) return direct
  try {
    return link(JSON.parse(text(body, 'data', 'resp_data') ?? 'null'), 'video_url')
  } catch {
    return undefined
  }
}

// BytePlus may leave the code out of an answer that is wrapped; an error of the gate then takes its place.
function isFine(reply: Reply): boolean {
  const code = number(reply.body, 'code')
  const clean =
    code === undefined ? at(reply.body, 'ResponseMetadata', 'Error') === undefined : code === succeeded
  return reply.status < 300 && clean
}

function isCoded(reply: Reply): boolean {
  return number(reply.body, 'code') !== undefined
}

function endsTheTask({ code }: Fault): boolean {
  return code === 'content_policy' || code === 'invalid_input'
}

function placeOf({ settings: chosen }: Order): { platform: Platform; reqKey: string } {
  const platform = chosen.VOLC_PLATFORM === 'volcengine' ? 'volcengine' : 'byteplus'
  return { platform, reqKey: chosen.VOLC_REQ_KEY || platforms[platform].reqKey }
}

export function visualTicketOf(task: string, order: Order): Ticket {
  return { host: 'visual', task, ...placeOf(order) }
}

function platformOf(ticket: Ticket): Platform {
  return ticket.platform === 'volcengine' ? 'volcengine' : 'byteplus'
}

function taskOf(ticket: Ticket) {
  return { req_key: String(ticket.reqKey), task_id: String(ticket.task) }
}

function act(action: string, platform: Platform, json: Readonly<Record<string, string | number>>) {
  const path = `/?Action=${encodeURIComponent(action)}&Version=${platforms[platform].version}`
  return { host: 'visual', method: 'POST' as const, path, json }
}
