import { isDeepStrictEqual } from 'node:util'
import { toRejections } from '../check.ts'
import { fault } from '../fault.ts'
import type { Field, Input, JsonObject } from '../input.ts'
import type { Alike, Offer, Order, Outcome, Provider, Reply, Ticket } from '../provider.ts'
import { refusal } from '../provider.ts'
import { at, link, list, text } from '../reader.ts'
import { findViolations } from '../schema.ts'
import { explain, isEnvelope, statusOf } from './faults.ts'
import { offers } from './models/index.ts'
import { judge } from './replies.ts'
import { schemas } from './schema.ts'

/** How far from the stored time of an attempt its task may be dated: our clocks differ, and a call takes a while. */
const searchBeforeMs = 30_000
const searchAfterMs = 180_000

/** WaveSpeedAI, API v3: one path a model and variant, predictions polled by id. */
export const wavespeed: Provider = {
  name: 'wavespeed',
  title: 'WaveSpeed',
  hosts: {
    api: {
      baseUrl: 'https://api.wavespeed.ai',
      baseUrlVariable: 'WAVESPEED_BASE_URL',
      credentials: ['WAVESPEED_API_KEY'],
      sign: (_request, credentials) => ({ authorization: `Bearer ${credentials.WAVESPEED_API_KEY}` }),
    },
  },
  offers,

  check(offer, input) {
    const { path, body } = render(offer, input)
    const schema = Object.hasOwn(schemas, path) ? schemas[path] : undefined
    const violations = schema === undefined ? [] : findViolations(schema, body, { media: false })
    return toRejections('WaveSpeed', violations, fieldNames)
  },

  submit(offer, order) {
    const { path, body } = render(offer, order.input)
    const hint = order.hintUrl === undefined ? '' : `?webhook=${encodeURIComponent(order.hintUrl)}`
    return { method: 'POST', path: `/api/v3/${path}${hint}`, json: body }
  },

  accept(reply) {
    const status = statusOf(reply)
    if (status >= 300) return refusal({ ...reply, status }, explain(reply))
    const id = text(reply.body, 'data', 'id')
    if (id === undefined) {
      return {
        kind: 'unclear',
        fault: fault('unreadable_reply', 'WaveSpeed answered a submit without a task id'),
      }
    }
    const told = judge(at(reply.body, 'data'), { id })
    return told.kind === 'running'
      ? told
      : { kind: 'running', ticket: { id }, stage: 'processing', now: true }
  },

  poll: (ticket) => ({ method: 'GET', path: `${taskPath(ticket)}/result` }),

  read(reply, ticket) {
    const prediction = at(reply.body, 'data')
    if (text(prediction, 'status') !== undefined) return judge(prediction, ticket)
    const status = statusOf(reply)
    if (status === 404 && isEnvelope(reply)) {
      return { kind: 'unclear', fault: fault('task_lost', 'WaveSpeed does not know the task') }
    }
    if (status >= 300) return { kind: 'unclear', fault: explain(reply) }
    return { kind: 'unclear', fault: fault('unreadable_reply', 'WaveSpeed answered a poll without a status') }
  },

  task: { id: (ticket) => String(ticket.id), ticket: (id) => ({ id }) },

  cancel: (ticket) => ({ method: 'DELETE', path: taskPath(ticket) }),

  find: {
    call(offer, order) {
      return {
        method: 'POST',
        path: '/api/v3/predictions',
        json: {
          page: 1,
          page_size: 100,
          model: render(offer, order.input).path,
          created_after: new Date(order.at.getTime() - searchBeforeMs).toISOString(),
          created_before: new Date(order.at.getTime() + searchAfterMs).toISOString(),
          include_inputs: true,
        },
      }
    },
    read: found,
    safeToResend: false,
  },

  adopt(body) {
    const id = text(body, 'id') ?? text(body, 'data', 'id')
    return id === undefined ? undefined : { id }
  },

  // Base64 is documented for a few paths only, and refused by at least one.
  takes: () => 'upload',

  upload: {
    call: () => ({ method: 'POST', path: '/api/v3/media/upload/binary', media: { field: 'file' } }),
    read(reply) {
      const status = statusOf(reply)
      const url = link(reply.body, 'data', 'download_url')
      if (status < 300 && url !== undefined) return { kind: 'uploaded', url }
      if (status >= 300) return { kind: 'failed', fault: explain(reply) }
      return {
        kind: 'failed',
        fault: fault('unreadable_reply', 'WaveSpeed answered an upload without a link'),
      }
    },
  },
}

/** WaveSpeed's names of our fields, where they differ. */
const fieldNames: Readonly<Record<string, Field>> = {
  text: 'prompt',
  generate_audio: 'generateAudio',
  enable_prompt_expansion: 'enhancePrompt',
  guidance_scale: 'cfg_scale',
  target_resolution: 'resolution',
  reference_image: 'referenceImages',
}

function render(offer: Offer, input: Input) {
  const { endpoint, body } = offer.translate(input)
  return { path: offer.endpoints[endpoint] ?? endpoint, body }
}

function taskPath(ticket: Ticket): string {
  return `/api/v3/predictions/${encodeURIComponent(String(ticket.id))}`
}

/** The listed tasks with exactly our inputs. */
function found(reply: Reply, order: Order, offer: Offer): Outcome | Alike {
  if (statusOf(reply) >= 300) return { kind: 'unclear', fault: explain(reply) }
  if (!Array.isArray(at(reply.body, 'data', 'items'))) {
    return { kind: 'unclear', fault: fault('unreadable_reply', 'WaveSpeed answered a search without a list') }
  }
  const { body } = render(offer, order.input)
  const tasks = list(reply.body, 'data', 'items').flatMap((item) => {
    const id = text(item, 'id')
    if (id === undefined || !hasInputs(item, body)) return []
    return [{ ticket: { id }, outcome: judge(item, { id }) }]
  })
  return { kind: 'alike', tasks, same: true }
}

// An item may hold more than was sent: the upstream's own defaults.
function hasInputs(item: unknown, body: JsonObject): boolean {
  const inputs = at(item, 'inputs') ?? at(item, 'input')
  return Object.entries(body).every(([name, value]) => isDeepStrictEqual(at(inputs, name), value))
}
