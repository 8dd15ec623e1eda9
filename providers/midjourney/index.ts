import { toRejections } from '../check.ts'
import { type Fault, type FaultCode, fault, speaksOfPolicy } from '../fault.ts'
import { type Order, type Provider, type Reply, refusal, statusFault, type Ticket } from '../provider.ts'
import { at, number, text } from '../reader.ts'
import { findViolations } from '../schema.ts'
import { offers } from './models.ts'
import { contentRefusal, readTask, spoken } from './replies.ts'
import { submitSchema } from './schema.ts'

/** `code` of a submit answer -> what it refuses for; 30 is a relay's own word for 429. */
const refusals: Readonly<Record<number, FaultCode>> = {
  3: 'upstream_error',
  4: 'invalid_input',
  9: 'upstream_error',
  21: 'upstream_error',
  23: 'rate_limited',
  24: 'content_policy',
  30: 'rate_limited',
}

/** The mj-proxy protocol, as self-hosted proxies and hosted relays speak it. One task gives four clips. */
export const midjourney: Provider = {
  name: 'midjourney',
  title: 'Midjourney',
  hosts: {
    proxy: {
      baseUrlVariable: 'MIDJOURNEY_BASE_URL',
      credentials: ['MIDJOURNEY_API_SECRET'],
      sign(_request, credentials) {
        const { MIDJOURNEY_AUTH_HEADER: header = 'mj-api-secret', MIDJOURNEY_AUTH_PREFIX: prefix = '' } =
          credentials
        return { [header]: `${prefix.trim()} ${credentials.MIDJOURNEY_API_SECRET}`.trim() }
      },
    },
  },
  offers,
  settings: {
    MIDJOURNEY_AUTH_HEADER: {
      default: 'mj-api-secret',
      description: 'The header that carries the secret; hosted relays want authorization.',
      choices: ['mj-api-secret', 'authorization'],
    },
    MIDJOURNEY_AUTH_PREFIX: {
      default: '',
      description: 'A word before the secret; hosted relays want Bearer.',
    },
  },

  check(offer, input) {
    const { body } = offer.translate(input)
    return toRejections('Midjourney', findViolations(submitSchema, body, { media: false }), {
      videoType: 'resolution',
    })
  },

  submit(offer, order) {
    const { endpoint, body } = offer.translate(order.input)
    return {
      method: 'POST',
      path: offer.endpoints[endpoint] ?? endpoint,
      json: {
        ...body,
        state: order.jobId,
        ...(order.hintUrl !== undefined && { notifyHook: order.hintUrl }),
      },
    }
  },

  accept(reply, order) {
    const code = number(reply.body, 'code')
    const id = idOf(at(reply.body, 'result'))
    const ok = reply.status < 300
    if (ok && id !== undefined && (code === 1 || code === 21 || code === 22)) {
      return { kind: 'running', ticket: { id }, stage: 'queued' }
    }
    if (ok && (code === undefined || refusals[code] === undefined)) {
      return {
        kind: 'unclear',
        fault: fault('unreadable_reply', 'The proxy answered a submit without a task id'),
      }
    }
    const refused = explain(reply, order)
    return ok ? { kind: 'failed', fault: refused } : refusal(reply, refused)
  },

  poll: (ticket) => ({ method: 'GET', path: `${taskPath(ticket)}/fetch` }),

  read: readTask,

  task: { id: (ticket) => String(ticket.id), ticket: (id) => ({ id }) },

  cancel: (ticket) => ({ method: 'POST', path: `${taskPath(ticket)}/cancel` }),

  adopt(body, order) {
    const id = text(body, 'id')
    return id !== undefined && text(body, 'state') === order.jobId ? { id } : undefined
  },

  takes: (_offer, media) => (media.kind === 'image' ? 'inline' : 'link'),
}

function taskPath({ id }: Ticket): string {
  return `/mj/task/${encodeURIComponent(String(id))}`
}

function idOf(result: unknown): string | undefined {
  return typeof result === 'number' ? String(result) : text(result)
}

function explain(reply: Reply, order: Order): Fault {
  const code = number(reply.body, 'code') ?? 0
  const banned = text(reply.body, 'properties', 'bannedWord')
  const said = `${spoken(reply.body) ?? `The proxy answered with HTTP ${reply.status}`}${banned === undefined ? '' : ` (${banned})`}`
  if (code === 24 || speaksOfPolicy(said)) return contentRefusal(said)
  // A relay's account is empty; it says so under code 4 or under 403.
  if (/quota_not_enough|insufficient.*(quota|balance|credit)|额度不足|余额不足/i.test(said))
    return fault('no_credit', said)
  if ([401, 402, 403, 429].includes(reply.status)) return statusFault(reply, said)
  if (code === 3 && order.input.extendTask !== undefined) return fault('task_lost', said)
  return statusFault(reply, said, refusals[code])
}
