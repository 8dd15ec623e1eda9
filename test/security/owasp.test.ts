import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { cheapJob, clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'

/** One test a page of the OWASP API Security Top 10 of 2023; the routes and callers are all in `routes.test.ts`. */
describe('OWASP API Security Top 10, 2023', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  let backend: Awaited<ReturnType<typeof startBackend>>
  let address: string
  let alice: ReturnType<typeof clientOf>
  let bobby: ReturnType<typeof clientOf>

  before(async () => {
    backend = await startBackend(cleanup, { SUBMIT_RPM: '20', BODY_LIMIT_MB: '1' })
    address = (await startTestGateway(cleanup, backend.env)).address
    const [first, second] = await Promise.all(
      ['alice', 'bobby'].map((name) => backend.ledger.createAccount({ name, balanceUsd: 100 })),
    )
    alice = clientOf(address, first?.key)
    bobby = clientOf(address, second?.key)
  })

  it('API1 broken object level authorization: a job belongs to its key, and its ID cannot be guessed', async () => {
    const { runId } = (await alice.submit()).body
    assert.match(runId, /^vid_[0-9a-f]{32}$/)
    const tries = [
      bobby.request('GET', `/api/video/status?requestId=${runId}`),
      bobby.request('POST', '/api/generate-video/cancel', { runId }),
      bobby.request('GET', `/api/generate-video/content?runId=${runId}`),
      bobby.request('DELETE', `/v1/videos/${runId}`),
    ]
    for (const { status, body } of await Promise.all(tries)) {
      assert.equal(status, 403)
      assert.equal(JSON.stringify(body).includes('paper boat'), false)
    }
    assert.equal((await alice.waitForEnd(runId)).stage, 'succeeded')
    const listed = await bobby.request('GET', '/api/generate-video/recover')
    assert.deepEqual(listed.body.data, [])
    const file = (await alice.waitForEnd(runId)).videoUrl ?? ''
    assert.match(file, /\/files\/[0-9a-f]{40}\.mp4$/)
  })

  it('API2 broken authentication: only a whole valid key in a header counts', async () => {
    const { key } = await backend.ledger.createAccount({ name: 'whole' })
    const request = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(address + path, { method: 'POST', headers })).status
    assert.equal(await request('/api/check-balance', { 'x-api-key': key }), 200)
    assert.equal(await request(`/api/check-balance?api_key=${key}&x-api-key=${key}`), 401)
    for (const wrong of [key.slice(0, -1), key.toUpperCase(), `${key}x`, 'null', '*', key.slice(12)]) {
      assert.equal(await request('/api/check-balance', { 'x-api-key': wrong }), 401, wrong)
    }
    assert.equal(await request('/api/check-balance', { authorization: `Basic ${btoa(`${key}:`)}` }), 401)
    assert.equal(await request('/api/check-balance', { cookie: `key=${key}` }), 401)
  })

  it('API3 broken object property level authorization: a body cannot set internal fields, and a reply does not show them', async () => {
    const ours = {
      owner: 'key_0',
      costUsd: 0,
      cost: 0,
      state: 'succeeded',
      id: 'vid_mine',
      route: [],
      extendTask: 'x',
    }
    const { status, body } = await alice.submit({ ...cheapJob, ...ours })
    assert.equal(status, 202)
    assert.equal(body.cost, 0.5)
    assert.notEqual(body.runId, 'vid_mine')
    const text = JSON.stringify((await alice.request('GET', `/api/jobs/${body.runId}`)).body)
    for (const name of ['owner', 'hint', 'ticket', 'attempt', 'fence', 'reserved', 'paid']) {
      assert.equal(text.includes(`"${name}"`), false, name)
    }
  })

  it('API4 unrestricted resource consumption: bodies, pages, numbers and rates are limited', async () => {
    const large = await alice.submit({
      ...cheapJob,
      imageDataUrl: `data:image/png;base64,${'A'.repeat(2_000_000)}`,
    })
    assert.equal(large.status, 413)
    const busy = clientOf(address, (await backend.ledger.createAccount({ name: 'busy', rpm: 1000 })).key)
    const submits = await Promise.all(Array.from({ length: 51 }, () => busy.submit()))
    assert.ok(submits.every(({ status }) => status === 202))
    const page = await busy.request('GET', '/api/generate-video/recover?limit=1000000000')
    assert.equal((page.body.data as unknown[]).length, 50)
    assert.equal((await alice.request('GET', '/api/usage?days=1000000000')).status, 400)
    const { key } = await backend.ledger.createAccount({ name: 'pace', rpm: 2 })
    const replies = await Promise.all([1, 2, 3, 4].map(() => clientOf(address, key).submit()))
    assert.deepEqual(replies.map(({ status }) => status).sort(), [202, 202, 429, 429])
  })

  it('API5 broken function level authorization: a client key opens no admin route, and an admin key no client route', async () => {
    for (const method of ['GET', 'POST']) {
      assert.equal(
        (await alice.request(method, '/api/admin/keys', method === 'POST' ? { name: 'x' } : undefined))
          .status,
        401,
      )
    }
    assert.equal((await clientOf(address, operatorKey).submit()).status, 401)
  })

  it('API6 unrestricted access to sensitive business flows: nothing is purchased without a reservation', async () => {
    const { key } = await backend.ledger.createAccount({ name: 'poor', balanceUsd: 0.49 })
    const refused = await clientOf(address, key).submit({ ...cheapJob, prompt: 'not paid for' })
    assert.deepEqual([refused.status, refused.body.requiredBalance], [402, 0.5])
    const { body } = await alice.submit({ ...cheapJob, prompt: 'paid for' })
    await alice.waitForEnd(body.runId)
    const bought = (await backend.upstreams.host.tasks('fal')).map(({ body: { prompt } }) => prompt)
    assert.ok(bought.includes('paid for'))
    assert.ok(!bought.includes('not paid for'))
  })

  it('API7 server side request forgery: clients cannot cause requests to the private network', async () => {
    const requests: string[] = []
    const inside = createServer((request, response) => {
      requests.push(request.url ?? '')
      response.end()
    }).listen(0, '127.0.0.1')
    await once(inside, 'listening')
    cleanup.add(() => inside.close())
    const { port } = inside.address() as AddressInfo
    const urls = [
      `http://127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://2130706433:${port}/`,
    ]
    const { key } = await backend.ledger.createAccount({ name: 'forger', rpm: 1000 })
    const sendTo = async (client: typeof alice, url: string) => {
      const { status, body } = await client.submit({ ...cheapJob, webhookUrl: url })
      if (status === 202) await client.waitForEnd(body.runId)
      return { status, runId: body.runId }
    }
    for (const url of urls) {
      const { status, runId } = await sendTo(clientOf(address, key), url)
      if (status === 400) continue
      // A host name is resolved when a request is sent.
      assert.equal(status, 202, url)
      const attempts = async () =>
        (await clientOf(address, key).request('GET', `/api/jobs/${runId}/webhooks`)).body
          .attempts as unknown[]
      while ((await attempts()).length === 0) await new Promise((wake) => setTimeout(wake, 20))
    }
    assert.deepEqual(requests, [])

    // The same request is sent if the operator allows it, so the gateway rejected it before.
    const env = { ...backend.env, REDIS_PREFIX: 'open:', WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'on' }
    const open = await startTestGateway(cleanup, env)
    await sendTo(clientOf(open.address), `http://127.0.0.1:${port}/allowed`)
    while (requests.length === 0) await new Promise((wake) => setTimeout(wake, 20))
    assert.deepEqual(requests, ['/allowed'])
  })

  it('API8 security misconfiguration: errors show no internals, and no cookie is set', async () => {
    const { headers, body } = await alice.request('POST', '/api/generate-video', {
      model: { $gt: '' },
      prompt: [],
    })
    const text = JSON.stringify(body)
    assert.equal(/node_modules|\.ts:|Error:|redis/i.test(text), false, text)
    assert.equal(headers.get('server') ?? headers.get('x-powered-by'), null)
    assert.equal(headers.get('access-control-allow-credentials'), null)
    assert.equal(headers.get('cache-control'), 'no-store')
    const { key } = await backend.ledger.createAccount({ name: 'polluter' })
    const polluted = await fetch(`${address}/api/price`, {
      method: 'POST',
      headers: { 'x-api-key': key },
      body: '{"__proto__": {"admin": true}}',
    })
    assert.equal(polluted.status, 400)
  })

  it('API9 improper inventory management: every route is listed', async () => {
    const probedPaths = [
      '/debug',
      '/metrics',
      '/.env',
      '/.git/config',
      '/admin',
      '/api/admin',
      '/api/v0/generate-video',
      '/files/',
      '/files/../package.json',
    ]
    for (const path of probedPaths) assert.equal((await alice.request('GET', path)).status, 404, path)
    const { ADMIN_KEY: _, ...env } = backend.env
    const without = await startTestGateway(cleanup, { ...env, ROLE: 'api' })
    assert.equal((await clientOf(without.address, operatorKey).request('GET', '/api/admin/keys')).status, 404)
  })

  it('API10 unsafe consumption of APIs: the text of an upstream is untrusted', async () => {
    const injectedFault = { provider: 'fal', operation: 'poll' }
    backend.upstreams.host.injectFault({ ...injectedFault, kind: 'html', times: 1 })
    backend.upstreams.host.injectFault({
      ...injectedFault,
      kind: 'status',
      status: 302,
      headers: { location: 'http://127.0.0.1:1/' },
      times: 1,
    })
    const { body } = await alice.submit()
    const end = await alice.waitForEnd(body.runId)
    assert.equal(end.stage, 'succeeded')
    assert.equal(new URL(end.videoUrl ?? '').origin, address)
  })
})
