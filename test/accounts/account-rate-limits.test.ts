import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { type Answer, cheapJob, clientOf, startGround } from './test-accounts.ts'

describe('limits a minute', () => {
  const cleanup = createCleanup()
  let ground: Awaited<ReturnType<typeof startGround>>
  let redis: Redis
  let addresses: string[]

  before(async () => {
    ground = await startGround(cleanup, { ROLE: 'api', SUBMIT_RPM: '4' })
    redis = ground.redis
    const gateways = [
      await startTestGateway(cleanup, ground.env),
      await startTestGateway(cleanup, ground.env),
    ]
    addresses = gateways.map(({ address }) => address)
  })
  after(() => cleanup.run())

  async function clientsOf(limits: { name: string; rpm?: number }) {
    const { key } = await ground.ledger.createAccount(limits)
    return addresses.map((address) => clientOf(address, key))
  }

  function assertLimited({ status, body, headers }: Answer): void {
    assert.equal(status, 429)
    assert.equal(body.code, 'rate_limit_exceeded')
    assert.equal((body.error as { type: string }).type, 'RATE_LIMITED')
    const seconds = headers.get('retry-after') ?? ''
    assert.match(seconds, /^\d+$/)
    assert.ok(Number(seconds) >= 1 && Number(seconds) <= 60, seconds)
  }

  it('count the submits of a key over all processes and path prefixes', async () => {
    const [one, two] = await clientsOf({ name: 'counted' })
    const paths = ['/api/generate-video', '/generate-video', '/api/v1/generate-video', '/v1/generate-video']
    for (const [at, path] of paths.entries()) {
      const client = at % 2 === 0 ? one : two
      assert.equal((await client?.ask('POST', path, cheapJob))?.status, 202)
    }
    for (const client of [one, two]) assertLimited((await client?.submit()) ?? assert.fail())
    const [other] = await clientsOf({ name: 'other' })
    assert.equal((await other?.submit())?.status, 202)
  })

  it("a key's own number counts instead", async () => {
    const [client = clientOf('')] = await clientsOf({ name: 'own', rpm: 1 })
    assert.equal((await client.submit()).status, 202)
    assertLimited(await client.submit())
  })

  it('recover and extend have their own, a status has none', async () => {
    const [client = clientOf('')] = await clientsOf({ name: 'lists' })
    const { body } = await client.submit()
    for (let asked = 0; asked < 20; asked++) {
      assert.equal((await client.ask('GET', '/api/generate-video/recover')).status, 200)
      assert.equal((await client.ask('POST', '/generate-video/extend', { runId: body.runId })).status, 400)
    }
    assertLimited(await client.ask('GET', '/generate-video/recover'))
    assertLimited(await client.ask('POST', '/api/generate-video/extend', { runId: body.runId }))
    const polls = Array.from({ length: 200 }, () =>
      client.ask('GET', `/api/video/status?runId=${body.runId}`),
    )
    assert.ok((await Promise.all(polls)).every(({ status }) => status === 200))
  })

  it('are no error of ours when their counters cannot be read', async () => {
    const [client = clientOf('')] = await clientsOf({ name: 'broken' })
    const found = await redis.keys(`${ground.keys.rateLimits}*`)
    assert.notEqual(found.length, 0)
    await client.ask('GET', '/api/generate-video/recover')
    for (const name of await redis.keys(`${ground.keys.rateLimits}*recover*`)) {
      await redis.del(name)
      await redis.lpush(name, 'no number')
    }
    assert.equal((await client.ask('GET', '/api/generate-video/recover')).status, 200)
  })
})
