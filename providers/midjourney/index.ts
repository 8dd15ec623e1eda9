import { toRejections } from '../check.ts'
import { resolveEndpoint } from '../models.ts'
import type { Provider, TaskReference } from '../provider.ts'
import { text } from '../reader.ts'
import { findViolations } from '../schema.ts'
import { midjourneyMappings } from './models.ts'
import { parseMidjourneySubmission, parseMidjourneyTask } from './replies.ts'
import { midjourneySchema } from './schema.ts'

/** The mj-proxy protocol, as self-hosted proxies and hosted relays speak it. A task renders four clips. */
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
  models: midjourneyMappings,
  settings: {
    MIDJOURNEY_AUTH_HEADER: {
      default: 'mj-api-secret',
      description: 'The header of the secret; hosted relays require authorization.',
      choices: ['mj-api-secret', 'authorization'],
    },
    MIDJOURNEY_AUTH_PREFIX: {
      default: '',
      description: 'Text before the secret in the header, for example Bearer for hosted relays.',
    },
  },

  check(mapping, input) {
    const { body } = resolveEndpoint(mapping, input)
    return toRejections('Midjourney', findViolations(midjourneySchema, body, { media: false }), {
      videoType: 'resolution',
    })
  },

  submit(mapping, order) {
    const { endpoint, body } = resolveEndpoint(mapping, order.input)
    return {
      method: 'POST',
      path: endpoint,
      json: {
        ...body,
        state: order.jobId,
        ...(order.callbackUrl !== undefined && { notifyHook: order.callbackUrl }),
      },
    }
  },

  accept: parseMidjourneySubmission,

  poll: (ticket) => ({ method: 'GET', path: `${taskPath(ticket)}/fetch` }),

  read: parseMidjourneyTask,

  task: { id: (ticket) => String(ticket.id), reference: (id) => ({ id }) },

  cancel: (ticket) => ({ method: 'POST', path: `${taskPath(ticket)}/cancel` }),

  adopt(body, order) {
    const id = text(body, 'id')
    return id !== undefined && text(body, 'state') === order.jobId ? { id } : undefined
  },

  mediaTransfer: (_offer, media) => (media.kind === 'image' ? 'inline' : 'link'),
}

function taskPath({ id }: TaskReference): string {
  return `/mj/task/${encodeURIComponent(String(id))}`
}
