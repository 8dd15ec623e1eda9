import { toRejections } from '../check.ts'
import { resolveEndpoint } from '../models.ts'
import type { Host, Provider } from '../provider.ts'
import { text } from '../reader.ts'
import { findViolations, schemaOf } from '../schema.ts'
import { falFieldNames } from './fields.ts'
import { falMappings } from './models.ts'
import { parseFalSubmission, parseFalTask, parseFalUpload, rebuildFalReference } from './replies.ts'
import { falSchemas } from './schema.ts'

/** Larger images are uploaded: FAL advises against long data URLs. */
const inlineMaxBytes = 256 * 1024

/** Uploads are public links, so they expire with the jobs that need them. */
const uploadLifetime = JSON.stringify({ expiration_duration_seconds: 24 * 3600 })

const sign: Host['sign'] = (_request, credentials) => ({ authorization: `Key ${credentials.FAL_KEY}` })

/** The queue of fal.ai: submit, poll the status, fetch the result. */
export const fal: Provider = {
  name: 'fal',
  title: 'FAL',
  hosts: {
    queue: {
      baseUrl: 'https://queue.fal.run',
      baseUrlVariable: 'FAL_BASE_URL',
      credentials: ['FAL_KEY'],
      sign,
    },
    storage: {
      baseUrl: 'https://rest.fal.ai',
      baseUrlVariable: 'FAL_STORAGE_BASE_URL',
      credentials: ['FAL_KEY'],
      sign,
    },
  },
  models: falMappings,

  check(mapping, input) {
    const { endpoint, body } = resolveEndpoint(mapping, input)
    const schema = schemaOf(falSchemas, endpoint)
    const violations = findViolations(schema ?? {}, body, { media: false, ignoreUnknown: true })
    return toRejections('FAL', violations, falFieldNames)
  },

  submit(mapping, order) {
    const { endpoint, body } = resolveEndpoint(mapping, order.input)
    const hint =
      order.callbackUrl === undefined ? '' : `?fal_webhook=${encodeURIComponent(order.callbackUrl)}`
    return { method: 'POST', path: `/${endpoint}${hint}`, json: body }
  },

  accept: parseFalSubmission,

  poll: ({ phase, status, response }) => ({
    method: 'GET',
    path: String(phase === 'result' ? response : status),
  }),

  read: parseFalTask,

  task: {
    id: (ticket) => String(ticket.id),
    reference: (id, order, mapping) =>
      rebuildFalReference(resolveEndpoint(mapping, order.input).endpoint, id),
  },

  cancel: (ticket) => ({ method: 'PUT', path: String(ticket.cancel) }),

  adopt(body, order, mapping) {
    const id = text(body, 'request_id')
    return id === undefined
      ? undefined
      : rebuildFalReference(resolveEndpoint(mapping, order.input).endpoint, id)
  },

  mediaTransfer: (_offer, media) =>
    media.kind === 'image' && media.bytes <= inlineMaxBytes ? 'inline' : 'upload',

  upload: {
    call: (media) => ({
      host: 'storage',
      method: 'POST',
      path: '/storage/upload/initiate?storage_type=fal-cdn-v3',
      headers: { 'x-fal-object-lifecycle': uploadLifetime },
      json: { content_type: media.contentType, file_name: media.filename },
    }),
    read: (reply, media) => parseFalUpload(reply, media.contentType),
  },
}
