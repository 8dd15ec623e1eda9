import { toRejections } from '../check.ts'
import { fault } from '../fault.ts'
import type { Field, Input, JsonObject } from '../input.ts'
import type { Offer, Outcome, Provider, Ticket } from '../provider.ts'
import { refusal } from '../provider.ts'
import { list, text } from '../reader.ts'
import { explain, isTroubleOfItsOwn } from './faults.ts'
import { offers } from './models.ts'
import { errorAbout, errorAboutNoTask, isEnvelope, judge } from './replies.ts'
import { schemas } from './schema.ts'
import { violationsOf } from './validation.ts'

/** Runware: every call is one POST with a list of tasks, and the id of a task is made by us. */
export const runware: Provider = {
  name: 'runware',
  title: 'Runware',
  hosts: {
    api: {
      baseUrl: 'https://api.runware.ai',
      baseUrlVariable: 'RUNWARE_BASE_URL',
      credentials: ['RUNWARE_API_KEY'],
      sign: (_request, credentials) => ({ authorization: `Bearer ${credentials.RUNWARE_API_KEY}` }),
    },
  },
  offers,

  check(offer, input) {
    const task = render(offer, input)
    if (!Object.hasOwn(schemas, String(task.model))) return []
    const violations = violationsOf(task, { media: false })
    const untranslated = violations.filter(({ of }) => of === undefined)
    return [
      ...toRejections(
        'Runware',
        violations.flatMap(({ of }) => of ?? []),
        fieldNames,
      ),
      ...untranslated.map(({ code, parameter }) => ({
        message: `Runware: ${code} (${[parameter].flat().join(', ')})`,
      })),
    ]
  },

  submit(offer, order) {
    return post({
      taskUUID: order.attempt,
      deliveryMethod: 'async',
      ...render(offer, order.input),
      numberResults: 1,
      outputType: 'URL',
      outputFormat: 'MP4',
      includeCost: true,
      ...(order.hintUrl !== undefined && { webhookURL: order.hintUrl }),
    })
  },

  accept(reply, { attempt }) {
    const error = errorAbout(reply.body, attempt) ?? errorAboutNoTask(reply.body)
    const code = text(error, 'code')
    // Runware holds a task under this id already: an earlier try of the same call has arrived.
    if (code === 'conflictTaskUUID') return waiting(attempt)
    if (isTroubleOfItsOwn(code)) return { kind: 'unclear', fault: explain(reply, error) }
    if (error !== undefined && reply.status < 300) return { kind: 'failed', fault: explain(reply, error) }
    if (reply.status >= 300) return refusal(reply, explain(reply, error))
    if (isEnvelope(reply.body)) return waiting(attempt)
    return { kind: 'unclear', fault: fault('unreadable_reply', 'Runware answered a submit with no list') }
  },

  poll: (ticket) => ask(String(ticket.taskUUID)),

  read(reply, ticket) {
    const error = errorAbout(reply.body, String(ticket.taskUUID))
    if (text(error, 'code') === 'taskNotFound')
      return { kind: 'unclear', fault: fault('task_lost', 'Runware does not know the task') }
    const outcome = judge(reply, String(ticket.taskUUID))
    // A task that was just accepted may not be listed yet.
    return outcome.kind === 'absent' ? { kind: 'running', ticket, stage: 'queued' } : outcome
  },

  task: { id: (ticket) => String(ticket.taskUUID), ticket: ticketOf },

  find: {
    call: (_offer, order) => ask(order.attempt),
    read(reply, { attempt }) {
      const unknown = text(errorAbout(reply.body, attempt), 'code') === 'taskNotFound'
      return unknown ? { kind: 'absent' } : judge(reply, attempt)
    },
    safeToResend: true,
  },

  // Seen flat, and wrapped as in a reply.
  adopt(body, { attempt }) {
    const rows = [body, ...list(body, 'data'), ...list(body, 'errors')]
    return rows.some((row) => text(row, 'taskUUID') === attempt) ? ticketOf(attempt) : undefined
  },

  // A video would have to be stored with `mediaStorage` first, as base64 inside JSON.
  takes: (_offer, media) => (media.kind === 'video' ? 'link' : 'inline'),
}

/** Runware's names of our fields, where they differ. */
const fieldNames: Readonly<Record<string, Field>> = {
  positivePrompt: 'prompt',
  negativePrompt: 'negative_prompt',
  CFGScale: 'cfg_scale',
  soundEffectContent: 'soundEffectPrompt',
}

function render(offer: Offer, input: Input): JsonObject {
  const { endpoint, body } = offer.translate(input)
  return { taskType: 'videoInference', model: offer.endpoints[endpoint] ?? endpoint, ...body }
}

function post(task: JsonObject) {
  return { method: 'POST', path: '/v1', json: [task] } as const
}

function ask(taskUUID: string) {
  return post({ taskType: 'getResponse', taskUUID })
}

function waiting(attempt: string): Outcome {
  return { kind: 'running', ticket: ticketOf(attempt), stage: 'queued' }
}

function ticketOf(taskUUID: string): Ticket {
  return { taskUUID }
}
