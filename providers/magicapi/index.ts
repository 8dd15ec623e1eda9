import { toRejections } from '../check.ts'
import type { Field } from '../input.ts'
import { resolveEndpoint } from '../models.ts'
import type { Order, Provider, TaskReference } from '../provider.ts'
import { findViolations } from '../schema.ts'
import { capixForm, type Flavor, magicapiMappings, magicapiProducts } from './models.ts'
import {
  parseCapixSubmission,
  parseCapixTask,
  parseMagicapiSubmission,
  parseMagicapiTask,
} from './replies.ts'
import { magicapiSchema } from './schema.ts'

/** Face swaps of MagicAPI on API.market, sold as three products. */
export const magicapi: Provider = {
  name: 'magicapi',
  title: 'MagicAPI',
  hosts: {
    gateway: {
      baseUrl: 'https://prod.api.market',
      baseUrlVariable: 'MAGICAPI_BASE_URL',
      credentials: ['MAGICAPI_KEY'],
      // The products disagree about the header's name; each ignores the other one.
      sign: (_request, { MAGICAPI_KEY = '' }) => ({
        'x-api-market-key': MAGICAPI_KEY,
        'x-magicapi-key': MAGICAPI_KEY,
      }),
    },
  },
  models: magicapiMappings,
  settings: {
    MAGICAPI_FLAVOR: {
      default: 'v3',
      description: 'Which face swap product the key is subscribed to',
      choices: Object.keys(magicapiProducts),
    },
  },

  // The form of the product `capix` holds the same values.
  check(mapping, input) {
    const { body } = resolveEndpoint(mapping, input)
    return toRejections('MagicAPI', findViolations(magicapiSchema, body.input, { media: false }), fieldNames)
  },

  submit(mapping, order) {
    const { endpoint, body } = resolveEndpoint(mapping, order.input)
    const flavor = flavorOf(order.settings.MAGICAPI_FLAVOR)
    const path = `${magicapiProducts[flavor]}/${endpoint}`
    return flavor === 'capix'
      ? { method: 'POST', path, form: capixForm(order.input) }
      : { method: 'POST', path, json: body }
  },

  accept(reply, order) {
    const ticket = { flavor: flavorOf(order.settings.MAGICAPI_FLAVOR) }
    return ticket.flavor === 'capix'
      ? parseCapixSubmission(reply, ticket)
      : parseMagicapiSubmission(reply, ticket)
  },

  poll(ticket) {
    const flavor = flavorOf(ticket.flavor)
    if (flavor === 'capix') {
      return {
        method: 'POST',
        path: `${magicapiProducts.capix}/result/`,
        form: { request_id: String(ticket.task) },
      }
    }
    const status = ticket.detour === true ? 'video/status' : 'status'
    return {
      method: 'GET',
      path: `${magicapiProducts[flavor]}/${status}/${encodeURIComponent(String(ticket.task))}`,
    }
  },

  read: (reply, ticket) =>
    flavorOf(ticket.flavor) === 'capix' ? parseCapixTask(reply, ticket) : parseMagicapiTask(reply, ticket),

  task: {
    id: (ticket) => String(ticket.task),
    reference: (task, { settings }) => ({ flavor: flavorOf(settings.MAGICAPI_FLAVOR), task }),
  },

  mediaTransfer: () => 'link',
}

/** MagicAPI's name of a field -> ours. */
const fieldNames: Readonly<Record<string, Field>> = {
  swap_image: 'swapImage',
  target_video: 'targetVideo',
  target_face_index: 'targetFaceIndex',
}

function flavorOf(value: Order['settings'][string] | TaskReference[string] | undefined): Flavor {
  return value === 'capix' || value === 'v2' ? value : 'v3'
}
