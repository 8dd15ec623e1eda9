/**
 * Who may call what. Every route of the app needs a line here, or the test of the routes fails: method, path without its
 * prefix, who may. `ask`: what the request needs to come as far as the question of whose it is.
 */
export type Rule = {
  methods: string
  path: string
  access: Access
  ask?: (mine: Mine) => Ask
}

export type Access =
  /** With any key or none. */
  | 'everybody'
  /** Whoever has a key. */
  | 'caller'
  /** Whoever has a key, for a job of its own; another one is told 403. */
  | 'own job'
  /** Whoever has a key, for a thing of its own; for another one there is none. */
  | 'own thing'
  /** Whoever has a key sees what is its own. */
  | 'own list'
  /** Nobody who does not know the address. */
  | 'secret address'
  /** The operator's key alone. */
  | 'operator'

export type Mine = { job: string; attachment: string; account: string }

export type Ask = { params?: Record<string, string>; query?: string; body?: unknown }

const query = ({ job }: Mine): Ask => ({ query: `runId=${job}` })
const body = ({ job }: Mine): Ask => ({ body: { runId: job } })
const params = ({ job }: Mine): Ask => ({ params: { id: job } })
const attachment = ({ attachment }: Mine): Ask => ({ params: { id: attachment } })
const account = ({ account }: Mine): Ask => ({ params: { id: account } })
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

  { methods: 'GET HEAD', path: '/files/:name', access: 'secret address', ask: absent },
  { methods: 'GET HEAD', path: '/media/*', access: 'secret address', ask: absent },
  { methods: 'POST', path: '/hooks/:id/:secret', access: 'secret address', ask: absent },

  { methods: 'POST', path: '/generate-video', access: 'caller', ask: () => ({ body: job }) },
  { methods: 'POST', path: '/video', access: 'caller', ask: () => ({ body: job }) },
  { methods: 'POST', path: '/videos', access: 'caller', ask: () => ({ body: job }) },
  { methods: 'POST', path: '/price', access: 'caller', ask: () => ({ body: job }) },
  { methods: 'POST', path: '/check-balance', access: 'caller' },
  { methods: 'POST', path: '/library', access: 'caller' },
  { methods: 'POST', path: '/webhooks', access: 'caller', ask: () => ({ body: {} }) },
  { methods: 'POST', path: '/webhooks/secret', access: 'caller' },

  { methods: 'GET HEAD', path: '/generate-video/recover', access: 'own list' },
  { methods: 'GET HEAD', path: '/jobs', access: 'own list' },
  { methods: 'GET HEAD', path: '/videos', access: 'own list' },
  { methods: 'GET HEAD', path: '/library', access: 'own list' },
  { methods: 'GET HEAD', path: '/usage', access: 'own list' },
  { methods: 'GET HEAD', path: '/subscription/v1/usage', access: 'caller' },
  { methods: 'GET HEAD', path: '/webhooks', access: 'own list' },
  { methods: 'GET HEAD', path: '/webhooks/secret', access: 'own list' },

  { methods: 'GET HEAD', path: '/video/status', access: 'own job', ask: query },
  { methods: 'GET HEAD', path: '/video-status', access: 'own job', ask: query },
  { methods: 'GET HEAD', path: '/generate-video/status', access: 'own job', ask: query },
  { methods: 'GET HEAD', path: '/generate-video/content', access: 'own job', ask: query },
  { methods: 'POST', path: '/generate-video/extend', access: 'own job', ask: body },
  { methods: 'POST', path: '/check-midjourney-status', access: 'own job', ask: body },
  { methods: 'POST', path: '/generate-video/cancel', access: 'own job', ask: body },
  { methods: 'GET HEAD DELETE', path: '/jobs/:id', access: 'own job', ask: params },
  { methods: 'GET', path: '/jobs/:id/events', access: 'own job', ask: params },
  { methods: 'GET HEAD', path: '/jobs/:id/webhooks', access: 'own job', ask: params },
  { methods: 'POST', path: '/jobs/:id/webhooks/replay', access: 'own job', ask: params },
  { methods: 'GET HEAD DELETE', path: '/videos/:id', access: 'own job', ask: params },
  { methods: 'GET HEAD', path: '/videos/:id/content', access: 'own job', ask: params },
  {
    methods: 'POST',
    path: '/videos/:id/remix',
    access: 'own job',
    ask: (mine) => ({ ...params(mine), body: { prompt: 'more' } }),
  },
  { methods: 'GET HEAD DELETE', path: '/library/:id', access: 'own thing', ask: attachment },

  { methods: 'GET HEAD', path: '/admin/keys', access: 'operator' },
  { methods: 'POST', path: '/admin/keys', access: 'operator', ask: () => ({ body: { name: 'made' } }) },
  { methods: 'GET HEAD DELETE', path: '/admin/keys/:id', access: 'operator', ask: account },
  {
    methods: 'PATCH',
    path: '/admin/keys/:id',
    access: 'operator',
    ask: (mine) => ({ ...account(mine), body: { rpm: 9 } }),
  },
  { methods: 'GET HEAD', path: '/admin/keys/:id/ledger', access: 'operator', ask: account },
  { methods: 'GET HEAD', path: '/admin/keys/:id/held', access: 'operator', ask: account },
  {
    methods: 'POST',
    path: '/admin/keys/:id/held/:job',
    access: 'operator',
    ask: (mine) => ({ params: { id: mine.account, job: mine.job }, body: { decision: 'release' } }),
  },
  { methods: 'GET HEAD', path: '/admin/unknown', access: 'operator' },
  {
    methods: 'POST',
    path: '/admin/unknown/:id',
    access: 'operator',
    ask: () => ({ params: { id: 'vid_0' }, body: { decision: 'release' } }),
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
