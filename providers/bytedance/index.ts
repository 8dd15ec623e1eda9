import type { Provider, Ticket } from '../provider.ts'
import { adoptFromArk, ark, arkTicketOf, findInArk } from './ark.ts'
import { offers } from './offers.ts'
import { regionOf, signV4 } from './signature.ts'
import { isVisual, settings, visual, visualTicketOf } from './visual.ts'

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

type Driver = Required<Pick<Provider, 'submit' | 'poll' | 'read' | 'cancel'>>

function driverOf({ host }: { host?: string | Ticket[string] }): Driver {
  return host === 'visual' ? visual : ark
}
