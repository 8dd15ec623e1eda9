import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { cheapJob, clientOf, type Reply, startBackend } from './test-accounts.ts'

describe('rate limits per minute', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  let redis: Redis
  let addresses: string[]

  before(async () => {
    backend = await startBackend(cleanup, { ROLE: 'api', SUBMIT_RPM: '4' })
    redis = backend.redis
    const gateways = [
      await startTestGateway(cleanup, backend.env),
      await startTestGateway(cleanup, backend.env),
    ]
    addresses = gateways.map(({ address }) => address)
  })
  after(() => cleanup.run())

  async function clientsOf(limits: { name: string; rpm?: number }) {
    const { key } = await backend.ledger.createAccount(limits)
    return addresses.map((address) => clientOf(address, key))
  }

  function assertLimited({ status, body, headers }: Reply): void {
    assert.equal(status, 429)
    assert.equal(body.code, 'rate_limit_exceeded')
    assert.equal((body.error as { type: string }).type, 'RATE_LIMITED')
    const seconds = headers.get('retry-after') ?? ''
    assert.match(seconds, /^\d+$/)
    assert.ok(Number(seconds) >= 1 && Number(seconds) <= 60, seconds)
  }

  it('count the submits of a key across all processes and path prefixes', async () => {
    const [one, two] = await clientsOf({ name: 'counted' })
    const paths = ['/api/generate-video', '/generate-video', '/api/v1/generate-video', '/v1/generate-video']
    for (const [at, path] of paths.entries()) {
      const client = at % 2 === 0 ? one : two
      assert.equal((await client?.request('POST', path, cheapJob))?.status, 202)
    }
    for (const client of [one, two]) assertLimited((await client?.submit()) ?? assert.fail())
    const [other] = await clientsOf({ name: 'other' })
    assert.equal((await other?.submit())?.status, 202)
  })

  it('a limit of the key replaces the default', async () => {
    const [client = clientOf('')] = await clientsOf({ name: 'own', rpm: 1 })
    assert.equal((await client.submit()).status, 202)
    assertLimited(await client.submit())
  })

  it('recover and extend have separate limits; status requests have none', async () => {
    const [client = clientOf('')] = await clientsOf({ name: 'lists' })
    const { body } = await client.submit()
    for (let requests = 0; requests < 20; requests++) {
      assert.equal((await client.request('GET', '/api/generate-video/recover')).status, 200)
      assert.equal(
        (await client.request('POST', '/generate-video/extend', { runId: body.runId })).status,
        400,
      )
    }
    assertLimited(await client.request('GET', '/generate-video/recover'))
    assertLimited(await client.request('POST', '/api/generate-video/extend', { runId: body.runId }))
    const polls = Array.from({ length: 200 }, () =>
      client.request('GET', `/api/video/status?runId=${body.runId}`),
    )
    assert.ok((await Promise.all(polls)).every(({ status }) => status === 200))
  })

  it('do not fail a request when their counters cannot be read', async () => {
    const [client = clientOf('')] = await clientsOf({ name: 'broken' })
    const counterKeys = await redis.keys(`${backend.keys.rateLimits}*`)
    assert.notEqual(counterKeys.length, 0)
    await client.request('GET', '/api/generate-video/recover')
    for (const name of await redis.keys(`${backend.keys.rateLimits}*recover*`)) {
      await redis.del(name)
      await redis.lpush(name, 'no number')
    }
    assert.equal((await client.request('GET', '/api/generate-video/recover')).status, 200)
  })
})
