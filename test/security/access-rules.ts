/**
 * Who may call what. Every route of the app needs a line here, or the test of the routes fails: method, path without its
 * prefix, who may. `buildRequest`: what the request needs to reach the ownership check.
 */
export type Rule = {
  methods: string
  path: string
  access: Access
  buildRequest?: (ids: OwnIds) => RequestParts
}

export type Access =
  /** With any key or none. */
  | 'everybody'
  /** Every caller with a key. */
  | 'caller'
  /** The owner of the job; other keys get 403. */
  | 'own job'
  /** The owner of the resource; other keys get 404. */
  | 'own thing'
  /** Every caller with a key, who sees its own resources. */
  | 'own list'
  /** Everyone with the secret address. */
  | 'secret address'
  /** The operator's key alone. */
  | 'operator'

export type OwnIds = { job: string; attachment: string; account: string }

export type RequestParts = { params?: Record<string, string>; query?: string; body?: unknown }

const query = ({ job }: OwnIds): RequestParts => ({ query: `runId=${job}` })
const body = ({ job }: OwnIds): RequestParts => ({ body: { runId: job } })
const params = ({ job }: OwnIds): RequestParts => ({ params: { id: job } })
const attachment = ({ attachment }: OwnIds): RequestParts => ({ params: { id: attachment } })
const account = ({ account }: OwnIds): RequestParts => ({ params: { id: account } })
const job = { model: 'minimax-video', prompt: 'a paper boat' }
const absent = () => ({
  params: { id: 'vid_0', secret: 'wrong', name: `${'0'.repeat(40)}.mp4`, token: 'wrong' },
})

export const rules: readonly Rule[] = [
  { methods: 'GET HEAD', path: '/health', access: 'everybody' },
  { methods: 'GET HEAD', path: '/ready', access: 'everybody' },
  { methods: 'GET HEAD', path: '/openapi.json', access: 'everybody' },
  { methods: 'GET HEAD', path: '/docs', access: 'everybody' },
  { methods: 'GET HEAD', path: '/docs/json', access: 'everybody' },
  { methods: 'GET HEAD', path: '/docs/yaml', access: 'everybody' },
  { methods: 'GET HEAD', path: '/docs/static/index.html', access: 'everybody' },
  { methods: 'GET HEAD', path: '/docs/static/swagger-initializer.js', access: 'everybody' },
  { methods: 'GET HEAD', path: '/docs/static/*', access: 'everybody' },
  { methods: 'GET HEAD', path: '/models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/models/video', access: 'everybody' },
  { methods: 'GET HEAD', path: '/video-models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/subscription/v1/video-models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/paid/v1/video-models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/models/image', access: 'everybody' },
  { methods: 'GET HEAD', path: '/images/models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/image-models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/audio-models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/embedding-models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/subscription/v1/models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/paid/v1/models', access: 'everybody' },
  { methods: 'GET HEAD', path: '/personalized/v1/models', access: 'everybody' },

  { methods: 'GET HEAD', path: '/files/:name', access: 'secret address', buildRequest: absent },
  { methods: 'GET HEAD', path: '/media/*', access: 'secret address', buildRequest: absent },
  { methods: 'POST', path: '/hooks/:id/:secret', access: 'secret address', buildRequest: absent },

  { methods: 'POST', path: '/generate-video', access: 'caller', buildRequest: () => ({ body: job }) },
  { methods: 'POST', path: '/video', access: 'caller', buildRequest: () => ({ body: job }) },
  { methods: 'POST', path: '/videos', access: 'caller', buildRequest: () => ({ body: job }) },
  { methods: 'POST', path: '/price', access: 'caller', buildRequest: () => ({ body: job }) },
  { methods: 'POST', path: '/check-balance', access: 'caller' },
  { methods: 'POST', path: '/library', access: 'caller' },
  { methods: 'POST', path: '/webhooks', access: 'caller', buildRequest: () => ({ body: {} }) },
  { methods: 'POST', path: '/webhooks/secret', access: 'caller' },

  { methods: 'GET HEAD', path: '/generate-video/recover', access: 'own list' },
  { methods: 'GET HEAD', path: '/jobs', access: 'own list' },
  { methods: 'GET HEAD', path: '/videos', access: 'own list' },
  { methods: 'GET HEAD', path: '/library', access: 'own list' },
  { methods: 'GET HEAD', path: '/usage', access: 'own list' },
  { methods: 'GET HEAD', path: '/subscription/v1/usage', access: 'caller' },
  { methods: 'GET HEAD', path: '/webhooks', access: 'own list' },
  { methods: 'GET HEAD', path: '/webhooks/secret', access: 'own list' },

  { methods: 'GET HEAD', path: '/video/status', access: 'own job', buildRequest: query },
  { methods: 'GET HEAD', path: '/video-status', access: 'own job', buildRequest: query },
  { methods: 'GET HEAD', path: '/generate-video/status', access: 'own job', buildRequest: query },
  { methods: 'GET HEAD', path: '/generate-video/content', access: 'own job', buildRequest: query },
  { methods: 'POST', path: '/generate-video/extend', access: 'own job', buildRequest: body },
  { methods: 'POST', path: '/check-midjourney-status', access: 'own job', buildRequest: body },
  { methods: 'POST', path: '/generate-video/cancel', access: 'own job', buildRequest: body },
  { methods: 'GET HEAD DELETE', path: '/jobs/:id', access: 'own job', buildRequest: params },
  { methods: 'GET', path: '/jobs/:id/events', access: 'own job', buildRequest: params },
  { methods: 'GET HEAD', path: '/jobs/:id/webhooks', access: 'own job', buildRequest: params },
  { methods: 'POST', path: '/jobs/:id/webhooks/replay', access: 'own job', buildRequest: params },
  { methods: 'GET HEAD DELETE', path: '/videos/:id', access: 'own job', buildRequest: params },
  { methods: 'GET HEAD', path: '/videos/:id/content', access: 'own job', buildRequest: params },
  {
    methods: 'POST',
    path: '/videos/:id/remix',
    access: 'own job',
    buildRequest: (ids) => ({ ...params(ids), body: { prompt: 'more' } }),
  },
  { methods: 'GET HEAD DELETE', path: '/library/:id', access: 'own thing', buildRequest: attachment },

  { methods: 'GET HEAD', path: '/admin/keys', access: 'operator' },
  {
    methods: 'POST',
    path: '/admin/keys',
    access: 'operator',
    buildRequest: () => ({ body: { name: 'made' } }),
  },
  { methods: 'GET HEAD DELETE', path: '/admin/keys/:id', access: 'operator', buildRequest: account },
  {
    methods: 'PATCH',
    path: '/admin/keys/:id',
    access: 'operator',
    buildRequest: (ids) => ({ ...account(ids), body: { rpm: 9 } }),
  },
  { methods: 'GET HEAD', path: '/admin/keys/:id/ledger', access: 'operator', buildRequest: account },
  { methods: 'GET HEAD', path: '/admin/keys/:id/held', access: 'operator', buildRequest: account },
  {
    methods: 'POST',
    path: '/admin/keys/:id/held/:job',
    access: 'operator',
    buildRequest: (ids) => ({ params: { id: ids.account, job: ids.job }, body: { decision: 'release' } }),
  },
  { methods: 'GET HEAD', path: '/admin/unknown', access: 'operator' },
  {
    methods: 'POST',
    path: '/admin/unknown/:id',
    access: 'operator',
    buildRequest: () => ({ params: { id: 'vid_0' }, body: { decision: 'release' } }),
  },
  { methods: 'GET HEAD', path: '/admin/usage', access: 'operator' },
]

/** Clients reach most paths under several prefixes; the same rule holds under each. */
export function plainPath(url: string): string {
  return url.replace(/^(\/api|\/v1)+(?=\/)/, '')
}

export function ruleFor(method: string, url: string): Rule | undefined {
  const path = plainPath(url)
  return rules.find((rule) => rule.path === path && rule.methods.split(' ').includes(method))
}
