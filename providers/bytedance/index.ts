import { type Rejection, toRejections } from '../check.ts'
import type { Field } from '../input.ts'
import type { Provider, Ticket } from '../provider.ts'
import { findViolations } from '../schema.ts'
import { adoptFromArk, ark, arkTicketOf, findInArk } from './ark/index.ts'
import { offers } from './ark/models.ts'
import { arkViolations, isArkModel } from './ark/schema.ts'
import { isVisual, settings, visual, visualTicketOf } from './visual/index.ts'
import { visualSchema } from './visual/schema.ts'
import { regionOf, signV4 } from './visual/signature.ts'

const largestInlineBytes = 30_000_000

/** ByteDance's own two doors: Ark for Seedance, the signed Visual API for OmniHuman. */
export const bytedance: Provider = {
  name: 'bytedance',
  title: 'ByteDance',
  hosts: {
    ark: {
      baseUrl: 'https://ark.ap-southeast.bytepluses.com/api/v3',
      baseUrlVariable: 'ARK_BASE_URL',
      credentials: ['ARK_API_KEY'],
      sign: (_request, credentials) => ({ authorization: `Bearer ${credentials.ARK_API_KEY}` }),
    },
    visual: {
      baseUrl: 'https://cv.byteplusapi.com',
      baseUrlVariable: 'VOLC_BASE_URL',
      credentials: ['VOLC_ACCESS_KEY', 'VOLC_SECRET_KEY'],
      sign: (request, { VOLC_ACCESS_KEY = '', VOLC_SECRET_KEY = '' }, at) =>
        signV4(
          request,
          { accessKey: VOLC_ACCESS_KEY, secretKey: VOLC_SECRET_KEY, region: regionOf(request.url) },
          at,
        ),
    },
  },
  offers,
  settings,

  check(offer, input) {
    const { endpoint, body } = offer.translate(input)
    const options = { media: false }
    if (offer.host === 'visual') {
      const task = { req_key: 'any', ...body }
      return toRejections('ByteDance', findViolations(visualSchema, task, options), fieldNames)
    }
    const model = offer.endpoints[endpoint] ?? endpoint
    const violations = isArkModel(model) ? arkViolations({ model, ...body }, options) : []
    return violations.some(({ field }) => field === 'content')
      ? [nothingToRender]
      : toRejections('ByteDance', violations, fieldNames)
  },

  submit: (offer, order) => driverOf(offer).submit(offer, order),
  accept: (reply, order) => (isVisual(reply) ? visual.accept(reply, order) : ark.accept(reply)),
  poll: (ticket) => driverOf(ticket).poll(ticket),
  read: (reply, ticket) => driverOf(ticket).read(reply, ticket),
  task: {
    id: (ticket) => String(ticket.task),
    ticket: (id, order, offer) => (offer.host === 'visual' ? visualTicketOf(id, order) : arkTicketOf(id)),
  },
  cancel: (ticket) => driverOf(ticket).cancel(ticket),
  find: findInArk,
  adopt: adoptFromArk,
  takes: (offer, media) => (offer.host === 'ark' && media.bytes <= largestInlineBytes ? 'inline' : 'link'),
}

const nothingToRender: Rejection = {
  field: 'prompt',
  message: '`prompt` holds nothing but parameters (`--…`), which ByteDance takes no more',
}

/** ByteDance's names of our fields, where they differ. */
const fieldNames: Readonly<Record<string, Field>> = {
  content: 'prompt',
  ratio: 'aspect_ratio',
  image_url: 'image',
  audio_url: 'audio',
  output_resolution: 'resolution',
}

type Driver = Required<Pick<Provider, 'submit' | 'poll' | 'read' | 'cancel'>>

function driverOf({ host }: { host?: string | Ticket[string] }): Driver {
  return host === 'visual' ? visual : ark
}
