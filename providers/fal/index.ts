import { toRejections } from '../check.ts'
import { fault } from '../fault.ts'
import type { Field, Input, JsonObject } from '../input.ts'
import type { Host, Offer, Provider } from '../provider.ts'
import { refusal } from '../provider.ts'
import { link, text } from '../reader.ts'
import { findViolations } from '../schema.ts'
import { explain } from './faults.ts'
import { failover } from './models/failover.ts'
import { offers } from './models.ts'
import { readResult, readStatus } from './replies.ts'
import { schemas } from './schema.ts'
import { rebuild, ticketOf } from './ticket.ts'

/** An image up to this size travels inside the request; FAL advises against long data URLs. */
const inlineBytes = 256 * 1024

/** Uploads are public links, so they do not outlive the jobs that need them. */
const uploadLifetime = JSON.stringify({ expiration_duration_seconds: 24 * 3600 })

const sign: Host['sign'] = (_request, credentials) => ({ authorization: `Key ${credentials.FAL_KEY}` })

/** The queue of fal.ai: submit, ask for the status, fetch the result. */
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
  offers: { ...offers, ...failover },

  check(offer, input) {
    const { id, body } = render(offer, input)
    const schema = Object.hasOwn(schemas, id) ? schemas[id] : undefined
    // FAL ignores what it does not know.
    const violations = schema === undefined ? [] : findViolations(schema, body, { media: false })
    return toRejections(
      'FAL',
      violations.filter(({ kind }) => kind !== 'unknown'),
      fieldNames,
    )
  },

  submit(offer, order) {
    const { id, body } = render(offer, order.input)
    const hint = order.hintUrl === undefined ? '' : `?fal_webhook=${encodeURIComponent(order.hintUrl)}`
    return { method: 'POST', path: `/${id}${hint}`, json: body }
  },

  accept(reply) {
    if (reply.status >= 300) return refusal(reply, explain(reply))
    const ticket = ticketOf(reply)
    if (ticket !== undefined) return { kind: 'running', ticket, stage: 'queued' }
    return { kind: 'unclear', fault: fault('unreadable_reply', 'FAL answered a submit without a request id') }
  },

  poll: ({ phase, status, response }) => ({
    method: 'GET',
    path: String(phase === 'result' ? response : status),
  }),

  read: (reply, ticket) =>
    ticket.phase === 'result' ? readResult(reply, ticket) : readStatus(reply, ticket),

  task: {
    id: (ticket) => String(ticket.id),
    ticket: (id, order, offer) => rebuild(render(offer, order.input).id, id),
  },

  cancel: (ticket) => ({ method: 'PUT', path: String(ticket.cancel) }),

  adopt(body, order, offer) {
    const id = text(body, 'request_id')
    return id === undefined ? undefined : rebuild(render(offer, order.input).id, id)
  },

  takes: (_offer, media) => (media.kind === 'image' && media.bytes <= inlineBytes ? 'inline' : 'upload'),

  upload: {
    call: (media) => ({
      host: 'storage',
      method: 'POST',
      path: '/storage/upload/initiate?storage_type=fal-cdn-v3',
      headers: { 'x-fal-object-lifecycle': uploadLifetime },
      json: { content_type: media.contentType, file_name: media.filename },
    }),
    read(reply, media) {
      if (reply.status >= 300) return { kind: 'failed', fault: explain(reply) }
      const [target, url] = [link(reply.body, 'upload_url'), link(reply.body, 'file_url')]
      if (target === undefined || url === undefined) return { kind: 'failed', fault: noUploadUrl }
      const headers = { 'content-type': media.contentType }
      return { kind: 'next', call: { method: 'PUT', path: target, headers, media: 'body' }, url }
    },
  },
}

/** FAL's names of our fields, where they differ. */
const fieldNames: Readonly<Record<string, Field>> = {
  text: 'prompt',
  image_url: 'image',
  first_frame_url: 'image',
  last_frame_url: 'last_image',
  tail_image_url: 'last_image',
  end_image_url: 'last_image',
  video_url: 'video',
  audio_url: 'audio',
  generate_audio: 'generateAudio',
  enhance_prompt: 'enhancePrompt',
  prompt_optimizer: 'enhancePrompt',
  enable_prompt_expansion: 'enhancePrompt',
  guidance_scale: 'cfg_scale',
  camera_movement: 'cameraMovement',
  movement_amplitude: 'movementAmplitude',
  target_resolution: 'resolution',
}

const noUploadUrl = fault('unreadable_reply', 'FAL answered an upload without a link to send it to')

function render(offer: Offer, input: Input): { id: string; body: JsonObject } {
  const { endpoint, body } = offer.translate(input)
  return { id: offer.endpoints[endpoint] ?? endpoint, body }
}
