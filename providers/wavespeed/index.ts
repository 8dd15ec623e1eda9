import { toRejections } from '../check.ts'
import { resolveEndpoint } from '../models.ts'
import type { Provider, TaskReference } from '../provider.ts'
import { text } from '../reader.ts'
import { findViolations, schemaOf } from '../schema.ts'
import { wavespeedFieldNames } from './fields.ts'
import { wavespeedMappings } from './models.ts'
import {
  parseWavespeedSearch,
  parseWavespeedSubmission,
  parseWavespeedTask,
  parseWavespeedUpload,
} from './replies.ts'
import { wavespeedSchemas } from './schema.ts'

/** How far the time of a task may be from the stored time of its attempt: clocks differ, and a call takes time. */
const searchBeforeMs = 30_000
const searchAfterMs = 180_000

/** WaveSpeedAI, API v3: one path per model and variant, predictions polled by ID. */
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
  models: wavespeedMappings,

  check(mapping, input) {
    const { endpoint, body } = resolveEndpoint(mapping, input)
    const schema = schemaOf(wavespeedSchemas, endpoint)
    const violations = schema === undefined ? [] : findViolations(schema, body, { media: false })
    return toRejections('WaveSpeed', violations, wavespeedFieldNames)
  },

  submit(mapping, order) {
    const { endpoint, body } = resolveEndpoint(mapping, order.input)
    const hint = order.callbackUrl === undefined ? '' : `?webhook=${encodeURIComponent(order.callbackUrl)}`
    return { method: 'POST', path: `/api/v3/${endpoint}${hint}`, json: body }
  },

  accept: parseWavespeedSubmission,

  poll: (ticket) => ({ method: 'GET', path: `${taskPath(ticket)}/result` }),

  read: parseWavespeedTask,

  task: { id: (ticket) => String(ticket.id), reference: (id) => ({ id }) },

  cancel: (ticket) => ({ method: 'DELETE', path: taskPath(ticket) }),

  find: {
    call(mapping, order) {
      return {
        method: 'POST',
        path: '/api/v3/predictions',
        json: {
          page: 1,
          page_size: 100,
          model: resolveEndpoint(mapping, order.input).endpoint,
          created_after: new Date(order.at.getTime() - searchBeforeMs).toISOString(),
          created_before: new Date(order.at.getTime() + searchAfterMs).toISOString(),
          include_inputs: true,
        },
      }
    },
    read: parseWavespeedSearch,
    safeToResend: false,
  },

  adopt(body) {
    const id = text(body, 'id') ?? text(body, 'data', 'id')
    return id === undefined ? undefined : { id }
  },

  // Base64 is documented for a few paths only, and refused by at least one.
  mediaTransfer: () => 'upload',

  upload: {
    call: () => ({ method: 'POST', path: '/api/v3/media/upload/binary', media: { field: 'file' } }),
    read: parseWavespeedUpload,
  },
}

function taskPath(ticket: TaskReference): string {
  return `/api/v3/predictions/${encodeURIComponent(String(ticket.id))}`
}
