import { type Rejection, toRejections } from '../check.ts'
import type { Field } from '../input.ts'
import { resolveEndpoint } from '../models.ts'
import type { Provider, TaskReference } from '../provider.ts'
import { findViolations } from '../schema.ts'
import { ark } from './ark/index.ts'
import { arkMappings } from './ark/models.ts'
import { findArkViolations, isArkModel } from './ark/schema.ts'
import { visual, visualSettings } from './visual/index.ts'
import { visualMappings } from './visual/models.ts'
import { isVisualReply } from './visual/replies.ts'
import { visualSchema } from './visual/schema.ts'
import { regionOf, signV4 } from './visual/signature.ts'

const inlineMaxBytes = 30_000_000

/** ByteDance's two products: Ark for Seedance, the signed Visual API for OmniHuman. No upstream of it is known to render `bytedance-waver-1.0`. */
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
  models: { ...arkMappings, ...visualMappings },
  settings: visualSettings,

  check(mapping, input) {
    const { endpoint: model, body } = resolveEndpoint(mapping, input)
    const options = { media: false }
    if (mapping.host === 'visual') {
      const task = { req_key: 'any', ...body }
      return toRejections('ByteDance', findViolations(visualSchema, task, options), fieldNames)
    }
    const violations = isArkModel(model) ? findArkViolations({ model, ...body }, options) : []
    return violations.some(({ field }) => field === 'content')
      ? [emptyPrompt]
      : toRejections('ByteDance', violations, fieldNames)
  },

  submit: (mapping, order) => productOf(mapping).submit(mapping, order),
  accept: (reply, order) => productOf({ host: isVisualReply(reply) ? 'visual' : 'ark' }).accept(reply, order),
  poll: (ticket) => productOf(ticket).poll(ticket),
  read: (reply, ticket) => productOf(ticket).read(reply, ticket),
  task: {
    id: (ticket) => productOf(ticket).task.id(ticket),
    reference: (id, order, mapping) => productOf(mapping).task.reference(id, order, mapping),
  },
  cancel: (ticket) => productOf(ticket).cancel(ticket),
  find: ark.find,
  adopt: ark.adopt,
  mediaTransfer: (mapping, media) =>
    mapping.host === 'ark' && media.bytes <= inlineMaxBytes ? 'inline' : 'link',
}

const emptyPrompt: Rejection = {
  field: 'prompt',
  message: '`prompt` holds nothing but parameters (`--…`), which ByteDance no longer takes',
}

/** ByteDance's name of a field -> ours, where they differ. */
const fieldNames: Readonly<Record<string, Field>> = {
  content: 'prompt',
  ratio: 'aspect_ratio',
  image_url: 'image',
  audio_url: 'audio',
  output_resolution: 'resolution',
}

type Product = Required<Pick<Provider, 'submit' | 'accept' | 'poll' | 'read' | 'task' | 'cancel'>>

function productOf({ host }: { host?: string | TaskReference[string] }): Product {
  return host === 'visual' ? visual : ark
}
