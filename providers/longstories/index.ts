import { toRejections } from '../check.ts'
import type { Field } from '../input.ts'
import { resolveEndpoint } from '../models.ts'
import type { EndpointMapping, Provider } from '../provider.ts'
import { findViolations } from '../schema.ts'
import { longstoriesMappings, universeBody } from './models.ts'
import { parseLongstoriesSubmission, parseLongstoriesTask } from './replies.ts'
import { longstoriesShortSchema, longstoriesUniverseSchema } from './schema.ts'

type Settings = Readonly<Record<string, string>>

const slug = (model: string) => ({
  default: '',
  description: `The universe that renders ${model}; empty: a preset of the older Short API.`,
})

const inlineMaxBytes = 10 * 1024 * 1024

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
  models: longstoriesMappings,
  settings: {
    LONGSTORIES_MOVIE_SLUG: slug('longstories-movie'),
    LONGSTORIES_PIXEL_ART_SLUG: slug('longstories-pixel-art'),
    LONGSTORIES_STATUS_PATH: {
      default: statusPath,
      description:
        'The status path of a run, with {id} for its ID. LongStories does not document the one for universes.',
    },
  },

  check(mapping, input, settings) {
    const isUniverse = universePath(mapping, settings) !== undefined
    const violations = isUniverse
      ? findViolations(longstoriesUniverseSchema, universeBody(input))
      : findViolations(longstoriesShortSchema, mapping.toRequest(input).body)
    const style = input.framework === undefined ? {} : { 'scriptConfig.style': 'framework' as const }
    return toRejections('LongStories', violations, { ...fieldNames, ...style })
  },

  submit(mapping, { input, settings }) {
    const universe = universePath(mapping, settings)
    if (universe !== undefined) return { method: 'POST', path: universe, json: universeBody(input) }
    const { endpoint, body } = resolveEndpoint(mapping, input)
    return { method: 'POST', path: endpoint, json: body }
  },

  accept: (reply, { settings }) => parseLongstoriesSubmission(reply, (run) => referenceOf(run, settings)),

  poll: (ticket) => ({ method: 'GET', path: String(ticket.path) }),

  read: parseLongstoriesTask,

  task: { id: (ticket) => String(ticket.id), reference: (id, { settings }) => referenceOf(id, settings) },

  // How a character's image is given is not documented: as a link, or as the client gave it.
  mediaTransfer: (_offer, { bytes }, hasLinks = true) =>
    hasLinks || bytes > inlineMaxBytes ? 'link' : 'inline',
}

/** LongStories' name of a field -> ours, where they differ. */
const fieldNames: Readonly<Record<string, Field>> = {
  userScript: 'script',
  aspectRatio: 'aspect_ratio',
}

/** The path of the universe, once every setting that it names is set. */
function universePath(mapping: EndpointMapping, settings: Settings): string | undefined {
  const template = mapping.endpoints.universe
  const names = [...(template ?? '').matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  if (names.some((name) => (settings[name] ?? '') === '')) return undefined
  return template?.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(settings[name] ?? ''))
}

function referenceOf(id: string, settings: Settings) {
  return {
    id,
    path: (settings.LONGSTORIES_STATUS_PATH ?? statusPath).replaceAll('{id}', encodeURIComponent(id)),
  }
}
