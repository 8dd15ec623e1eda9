import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { listen } from '../support/listen.ts'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForStage,
} from '../support/setup.ts'

const body = { model: 'veo3-video', prompt: 'a boat', duration: '8' }

describe('events of a job through the whole gateway', () => {
  const cleanup = createCleanup()
  let address: string
  let redis: Redis

  before(async () => {
    const server = await startRedis(cleanup)
    redis = server.redis
    const { env } = await startUpstreams(cleanup, redis, 600)
    address = (await startTestGateway(cleanup, { ...env, REDIS_URL: server.url })).address
  })
  after(() => cleanup.run())

  const stored = (id: string) => redis.llen(`reelgate:trail:${id}`)

  it('are complete for a listener that is disconnected repeatedly and resumes', async () => {
    const { runId } = (await submit(address, body)).body
    const seen: number[] = []
    let stage: unknown
    while (stage !== 'succeeded') {
      const listener = await listen(`${address}/api/jobs/${runId}/events`, {
        'last-event-id': String(seen.at(-1) ?? ''),
      })
      await Promise.race([listener.until(1), listener.ended])
      listener.close()
      seen.push(...listener.events.map(({ id }) => id))
      stage = listener.events.at(-1)?.body.stage ?? stage
    }
    const first = seen[0] ?? 0
    const total = await stored(runId)
    assert.deepEqual(
      seen,
      Array.from({ length: total - first + 1 }, (_, at) => first + at),
    )
  })

  it('are complete when Redis drops the subscription', async () => {
    const { runId } = (await submit(address, body)).body
    const listener = await listen(`${address}/api/jobs/${runId}/events`)
    await listener.until(1)
    const killer = setInterval(() => void redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'), 100)
    await listener.ended.finally(() => clearInterval(killer))
    const first = listener.events[0]?.id ?? 0
    const total = await stored(runId)
    assert.equal(listener.events.at(-1)?.body.stage, 'succeeded')
    assert.deepEqual(
      listener.events.map(({ id }) => id),
      Array.from({ length: total - first + 1 }, (_, at) => first + at),
    )
  })

  it('use one shared subscription, which ends with the last listener', async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, async () => (await submit(address, body)).body.runId),
    )
    const listeners = await Promise.all(ids.map((id) => listen(`${address}/api/jobs/${id}/events`)))
    await Promise.all(listeners.map((listener) => listener.until(1)))
    const clients = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    assert.deepEqual(clients.match(/ sub=\d+ /g), [' sub=6 '])
    for (const listener of listeners) listener.close()
    for (const id of ids) await waitForStage(address, id, /succeeded/)
    assert.deepEqual(await redis.pubsub('CHANNELS', 'reelgate:channel:*'), [])
  })

  it('end a waiting status request without a second request', async () => {
    const { runId } = (await submit(address, body)).body
    let replies = 0
    let stage = ''
    while (stage !== 'succeeded') {
      const reply = await fetch(`${address}/api/video-status?runId=${runId}&wait=30`)
      stage = ((await reply.json()) as { stage: string }).stage
      replies++
    }
    assert.ok(replies <= (await stored(runId)))
  })
})
