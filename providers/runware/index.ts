import { toRejections } from '../check.ts'
import type { Input, JsonObject } from '../input.ts'
import { resolveEndpoint } from '../models.ts'
import type { EndpointMapping, Provider } from '../provider.ts'
import { list, text } from '../reader.ts'
import { schemaOf } from '../schema.ts'
import { runwareFieldNames } from './fields.ts'
import { runwareMappings } from './models.ts'
import { parseRunwareSearch, parseRunwareSubmission, parseRunwareTask } from './replies.ts'
import { runwareSchemas } from './schema.ts'
import { findTaskViolations } from './validation.ts'

/** Every call of Runware is one POST with a list of tasks; we choose the ID of a task. */
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
  models: runwareMappings,

  check(mapping, input) {
    const task = toTask(mapping, input)
    if (schemaOf(runwareSchemas, String(task.model)) === undefined) return []
    const violations = findTaskViolations(task, { media: false })
    const ofNoField = violations.filter(({ of }) => of === undefined)
    return [
      ...toRejections(
        'Runware',
        violations.flatMap(({ of }) => of ?? []),
        runwareFieldNames,
      ),
      ...ofNoField.map(({ code, parameter }) => ({
        message: `Runware: ${code} (${[parameter].flat().join(', ')})`,
      })),
    ]
  },

  submit(mapping, order) {
    return post({
      taskUUID: order.attempt,
      deliveryMethod: 'async',
      ...toTask(mapping, order.input),
      numberResults: 1,
      outputType: 'URL',
      outputFormat: 'MP4',
      includeCost: true,
      ...(order.callbackUrl !== undefined && { webhookURL: order.callbackUrl }),
    })
  },

  accept: parseRunwareSubmission,

  poll: (ticket) => getResponse(String(ticket.taskUUID)),

  read: parseRunwareTask,

  task: { id: (ticket) => String(ticket.taskUUID), reference: (taskUUID) => ({ taskUUID }) },

  find: {
    call: (_offer, order) => getResponse(order.attempt),
    read: parseRunwareSearch,
    safeToResend: true,
  },

  // Seen flat, and wrapped as in a reply.
  adopt(body, { attempt }) {
    const rows = [body, ...list(body, 'data'), ...list(body, 'errors')]
    return rows.some((row) => text(row, 'taskUUID') === attempt) ? { taskUUID: attempt } : undefined
  },

  // A video would have to be stored with `mediaStorage` first, as base64 inside JSON.
  mediaTransfer: (_offer, media) => (media.kind === 'video' ? 'link' : 'inline'),
}

function toTask(mapping: EndpointMapping, input: Input): JsonObject {
  const { endpoint: model, body } = resolveEndpoint(mapping, input)
  return { taskType: 'videoInference', model, ...body }
}

function post(task: JsonObject) {
  return { method: 'POST', path: '/v1', json: [task] } as const
}

function getResponse(taskUUID: string) {
  return post({ taskType: 'getResponse', taskUUID })
}
