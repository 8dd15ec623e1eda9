import { toRejections } from '../check.ts'
import type { Field } from '../input.ts'
import type { Order, Provider, Ticket } from '../provider.ts'
import { findViolations } from '../schema.ts'
import { acceptCapix, readCapix } from './capix.ts'
import { capixForm, type Flavor, offers, products } from './models.ts'
import { acceptJob, readJob } from './replies.ts'
import { inputSchema } from './schema.ts'

/** MagicAPI on API.market: face swaps, in three flavours of one product. */
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
  offers,
  settings: {
    MAGICAPI_FLAVOR: {
      default: 'v3',
      description: 'Which face swap product the key is subscribed to',
      choices: Object.keys(products),
    },
  },

  // The form of the product capix holds the same values.
  check(offer, input) {
    const { body } = offer.translate(input)
    return toRejections('MagicAPI', findViolations(inputSchema, body.input, { media: false }), fieldNames)
  },

  submit(offer, order) {
    const { endpoint, body } = offer.translate(order.input)
    const flavor = flavorOf(order.settings.MAGICAPI_FLAVOR)
    const path = `${products[flavor]}/${offer.endpoints[endpoint] ?? endpoint}`
    return flavor === 'capix'
      ? { method: 'POST', path, form: capixForm(order.input) }
      : { method: 'POST', path, json: body }
  },

  accept(reply, order) {
    const ticket = { flavor: flavorOf(order.settings.MAGICAPI_FLAVOR) }
    return ticket.flavor === 'capix' ? acceptCapix(reply, ticket) : acceptJob(reply, ticket)
  },

  poll(ticket) {
    const flavor = flavorOf(ticket.flavor)
    if (flavor === 'capix') {
      return { method: 'POST', path: `${products.capix}/result/`, form: { request_id: String(ticket.task) } }
    }
    const status = ticket.detour === true ? 'video/status' : 'status'
    return { method: 'GET', path: `${products[flavor]}/${status}/${encodeURIComponent(String(ticket.task))}` }
  },

  read: (reply, ticket) =>
    flavorOf(ticket.flavor) === 'capix' ? readCapix(reply, ticket) : readJob(reply, ticket),

  task: {
    id: (ticket) => String(ticket.task),
    ticket: (task, { settings }) => ({ flavor: flavorOf(settings.MAGICAPI_FLAVOR), task }),
  },

  takes: () => 'link',
}

/** MagicAPI's names of our fields. */
const fieldNames: Readonly<Record<string, Field>> = {
  swap_image: 'swapImage',
  target_video: 'targetVideo',
  target_face_index: 'targetFaceIndex',
}

function flavorOf(said: Order['settings'][string] | Ticket[string] | undefined): Flavor {
  return said === 'capix' || said === 'v2' ? said : 'v3'
}
