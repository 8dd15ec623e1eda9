import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import { after, before, describe, it } from 'node:test'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { type Access, type OwnIds, plainPath, type Rule, ruleFor, rules } from './access-rules.ts'

type Route = { method: string; url: string }
type Caller = 'anonymous' | 'wrong key' | 'revoked key' | 'operator' | 'another key' | 'own key'
/** `key`: how a request without a valid one is refused. */
type Expected = Readonly<Record<Caller, RegExp>>

const pass = /^(?!401|403|5)\d+ /
const noKey = /^401 missing_api_key/
const badKey = /^401 invalid_api_key/
const keyed = { anonymous: noKey, 'wrong key': badKey, 'revoked key': badKey, operator: badKey }
const anyway = (reply: RegExp): Expected => ({
  anonymous: reply,
  'wrong key': reply,
  'revoked key': reply,
  operator: reply,
  'another key': reply,
  'own key': reply,
})

const expected: Readonly<Record<Access, Expected>> = {
  everybody: anyway(pass),
  'secret address': anyway(/^404 /),
  caller: { ...keyed, 'another key': pass, 'own key': pass },
  'own list': { ...keyed, 'another key': pass, 'own key': pass },
  'own job': { ...keyed, 'another key': /^403 forbidden/, 'own key': pass },
  'own thing': { ...keyed, 'another key': /^404 not_found/, 'own key': pass },
  operator: { ...keyed, operator: pass, 'another key': badKey, 'own key': badKey },
}

const others = ['anonymous', 'wrong key', 'revoked key', 'operator', 'another key'] as const

describe('every route, for every caller', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  const routes: Route[] = []
  const keys: Partial<Record<Caller, string>> = { 'wrong key': 'sk-reelgate-nonsense', operator: operatorKey }
  let address: string
  let backend: Awaited<ReturnType<typeof startBackend>>

  before(async () => {
    backend = await startBackend(cleanup, { ROLE: 'api', RECOVER_RPM: '1000', EXTEND_RPM: '1000' })
    const made = new Map<FastifyInstance, Route[]>()
    const listen = (message: unknown) => {
      const { fastify } = message as { fastify: FastifyInstance }
      const own: Route[] = []
      made.set(fastify, own)
      fastify.addHook('onRoute', ({ method, url }: RouteOptions) => {
        for (const one of [method].flat()) own.push({ method: one, url })
      })
    }
    diagnostics.subscribe('fastify.initialization', listen)
    address = (await startTestGateway(cleanup, backend.env)).address
    diagnostics.unsubscribe('fastify.initialization', listen)
    const [own = []] = [...made.values()].filter((list) =>
      list.some(({ url }) => url === '/api/generate-video'),
    )
    const documented = own.filter(({ method }) => method !== 'OPTIONS')
    routes.push(
      ...documented.filter(
        ({ method, url }, at) =>
          documented.findIndex((one) => one.method === method && one.url === url) === at,
      ),
    )

    for (const name of ['own key', 'another key', 'revoked key'] as const) {
      const { key, account } = await backend.ledger.createAccount({ name })
      keys[name] = key
      if (name === 'revoked key') await backend.ledger.revokeAccount(account.id)
    }
  })

  async function createOwnIds(): Promise<OwnIds> {
    const client = clientOf(address, keys['own key'])
    const form = new FormData()
    form.append('file', new Blob([pixel], { type: 'image/png' }), 'a.png')
    const headers = { 'x-api-key': keys['own key'] ?? '' }
    const added = await fetch(`${address}/api/library`, { method: 'POST', headers, body: form })
    const { id } = (await added.json()) as { id: string }
    const job = (await client.submit()).body.runId
    return {
      job,
      attachment: id,
      account: (await backend.ledger.createAccount({ name: 'asked for' })).account.id,
    }
  }

  async function readReply({ method, url }: Route, rule: Rule, own: OwnIds, caller: Caller) {
    const { params = {}, query = '', body } = rule.buildRequest?.(own) ?? {}
    const path = url.replace(/:(\w+)/g, (_, name: string) => params[name] ?? 'none').replace('*', 'none')
    const key = keys[caller]
    const sent = await fetch(`${address}${path}?${query}`, {
      method,
      headers: { ...(key !== undefined && { 'x-api-key': key }), 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
    })
    const streamed = sent.headers.get('content-type')?.startsWith('text/event-stream') === true
    const text = streamed ? '' : await sent.text()
    if (streamed) await sent.body?.cancel()
    return { line: `${sent.status} ${codeIn(text)}`, text }
  }

  it('has a rule', () => {
    const without = routes.filter(({ method, url }) => ruleFor(method, url) === undefined)
    assert.deepEqual(without, [])
    const paths = new Set(routes.map(({ url }) => plainPath(url)))
    assert.deepEqual(
      rules.filter(({ path }) => !paths.has(path)),
      [],
    )
  })

  it('replies according to its rule', async () => {
    assert.ok(routes.length > 100, String(routes.length))
    const shared = await createOwnIds()
    const wrong: string[] = []
    for (const route of routes) {
      const rule = ruleFor(route.method, route.url)
      if (rule === undefined) continue
      const own = route.method === 'GET' || route.method === 'HEAD' ? shared : await createOwnIds()
      const check = async (caller: Caller) => {
        const { line, text } = await readReply(route, rule, own, caller)
        if (!fits(route, expected[rule.access][caller], line)) {
          wrong.push(`${route.method} ${route.url} for ${caller}: ${line}`)
        }
        const shown = text.includes(own.job) || text.includes(own.attachment)
        if (rule.access === 'own list' && shown) wrong.push(`${route.url} shows ${caller} what is another's`)
      }
      // The own key comes last: it may remove what the others are to be refused.
      await Promise.all(others.map(check))
      if (rule.access !== 'own list') await check('own key')
    }
    assert.deepEqual(wrong, [])
  })
})

const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

function codeIn(text: string): string {
  return /"code":"?(\w+)/.exec(text)?.[1] ?? ''
}

/** A HEAD has no body with a code. */
function fits({ method }: Route, wanted: RegExp, line: string): boolean {
  const status = /^\^(\d{3})/.exec(wanted.source)?.[1]
  return method === 'HEAD' && status !== undefined ? line.startsWith(status) : wanted.test(line)
}
