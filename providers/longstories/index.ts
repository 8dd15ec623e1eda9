import { toRejections } from '../check.ts'
import { fault } from '../fault.ts'
import type { Field } from '../input.ts'
import { type Offer, type Provider, type Reply, refusal } from '../provider.ts'
import { text } from '../reader.ts'
import { findViolations } from '../schema.ts'
import { offers, universeBody } from './models.ts'
import { explain, readRun } from './replies.ts'
import { shortSchema, universeSchema } from './schema.ts'

type Settings = Readonly<Record<string, string>>

const slug = (model: string) => ({
  default: '',
  description: `The universe that renders ${model}; empty: a preset of the older Short API does.`,
})

const largestInlineBytes = 10 * 1024 * 1024

const statusPath = '/short?runId={id}'

/** Films with a narrator, from a prompt or a script. No cancel, no list and no callback is documented. */
export const longstories: Provider = {
  name: 'longstories',
  title: 'LongStories',
  hosts: {
    api: {
      baseUrl: 'https://longstories.ai/api/v1',
      baseUrlVariable: 'LONGSTORIES_BASE_URL',
      credentials: ['LONGSTORIES_API_KEY'],
      sign: (_request, { LONGSTORIES_API_KEY: key = '' }) => ({ 'x-api-key': key }),
    },
  },
  offers,
  settings: {
    LONGSTORIES_MOVIE_SLUG: slug('longstories-movie'),
    LONGSTORIES_PIXEL_ART_SLUG: slug('longstories-pixel-art'),
    LONGSTORIES_STATUS_PATH: {
      default: statusPath,
      description:
        'Where a run is asked for, {id} being its id; the status path of universes is not published.',
    },
  },

  check(offer, input, settings) {
    const isUniverse = universePath(offer, settings) !== undefined
    const violations = isUniverse
      ? findViolations(universeSchema, universeBody(input))
      : findViolations(shortSchema, offer.translate(input).body)
    const style = input.framework === undefined ? {} : { 'scriptConfig.style': 'framework' as const }
    return toRejections('LongStories', violations, { ...fieldNames, ...style })
  },

  submit(offer, { input, settings }) {
    const universe = universePath(offer, settings)
    if (universe !== undefined) return { method: 'POST', path: universe, json: universeBody(input) }
    const { endpoint, body } = offer.translate(input)
    return { method: 'POST', path: offer.endpoints[endpoint] ?? endpoint, json: body }
  },

  accept(reply, { settings }) {
    if (reply.status >= 300) return refusal(reply, explain(reply))
    const id = runId(reply)
    if (id === undefined) {
      return {
        kind: 'unclear',
        fault: fault('unreadable_reply', 'LongStories answered a submit without a run id'),
      }
    }
    return { kind: 'running', ticket: ticketOf(id, settings), stage: 'queued' }
  },

  poll: (ticket) => ({ method: 'GET', path: String(ticket.path) }),

  read: readRun,

  task: { id: (ticket) => String(ticket.id), ticket: (id, { settings }) => ticketOf(id, settings) },

  // How a character's image is given is not documented: as a link, or as the client gave it.
  takes: (_offer, { bytes }, hasLinks = true) => (hasLinks || bytes > largestInlineBytes ? 'link' : 'inline'),
}

/** LongStories' names of our fields, where they differ. */
const fieldNames: Readonly<Record<string, Field>> = {
  userScript: 'script',
  aspectRatio: 'aspect_ratio',
}

/** The path of the offer's universe, once every setting that it names holds something. */
function universePath(offer: Offer, settings: Settings): string | undefined {
  const template = offer.endpoints.universe
  const names = [...(template ?? '').matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  if (names.some((name) => (settings[name] ?? '') === '')) return undefined
  return template?.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(settings[name] ?? ''))
}

function ticketOf(id: string, settings: Settings) {
  return {
    id,
    path: (settings.LONGSTORIES_STATUS_PATH ?? statusPath).replaceAll('{id}', encodeURIComponent(id)),
  }
}

function runId({ body }: Reply): string | undefined {
  return text(body, 'data', 'id') ?? text(body, 'data', 'runId') ?? text(body, 'id') ?? text(body, 'runId')
}
