import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { fault } from '../../providers/faults.ts'
import { providers } from '../../providers/index.ts'
import type { Outcome, ProviderName } from '../../providers/provider.ts'
import { readConfig } from '../../src/config/config.ts'
import type { JobWork } from '../../src/jobs/job.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createRouteChooser } from '../../src/upstreams/choose-route.ts'
import { describeRejectedKey } from '../../src/upstreams/readiness.ts'
import { createRejectedKeys } from '../../src/upstreams/rejected-keys.ts'
import { createRouting } from '../../src/upstreams/routing.ts'
import type { CallResult } from '../../src/upstreams/transport.ts'
import { createJobHarness, lost, reply } from '../jobs/job-harness.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const env = {
  FAL_KEY: 'fal-key',
  RUNWARE_API_KEY: 'runware-key',
  ARK_API_KEY: 'ark',
  VOLC_ACCESS_KEY: 'a',
  VOLC_SECRET_KEY: 's',
}
const model = { id: 'kling-v21-master' }
const route: readonly ['runware', 'fal'] = ['runware', 'fal']
const rejected = fault('bad_credentials', 'Invalid key')

describe('keys that their upstream rejects', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let prefixes = 0
  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  after(() => cleanup.run())

  /** Processes over one Redis, each with its own keys for upstreams. */
  function begin() {
    const keys = createKeys(`keys${++prefixes}:`)
    const clock = { now: 1_000_000 }
    const start = (changes: Record<string, string> = {}) => {
      const all = Object.values(providers)
      const { upstreams } = readConfig({ ...env, ...changes }, all)
      const logged: unknown[] = []
      const log = (facts: unknown) => logged.push(facts)
      const rejectedKeys = createRejectedKeys({
        redis,
        keys,
        providers: all,
        upstreams,
        retryMs: 300_000,
        logger: { error: log, info: log } as never,
        now: () => clock.now,
      })
      const routing = createRouting({ providers, upstreams })
      const upstream = (name: ProviderName, id = model.id) => routing.find({ id }, name) ?? assert.fail()
      const choose = createRouteChooser({ routing, rejectedKeys, now: () => clock.now })
      return {
        rejectedKeys,
        upstream,
        logged,
        choose: () => choose(model, route),
        only: () => choose(model, ['fal']),
      }
    }
    return { clock, keys, start }
  }
  const routeOf = async (chosen: Promise<{ kind: string; route?: readonly string[] }>) => (await chosen).route

  it('are logged once, with the message of the upstream', async () => {
    const { rejectedKeys, upstream, logged } = begin().start()
    await rejectedKeys.reportFault(upstream('fal'), rejected)
    await rejectedKeys.reportFault(upstream('fal'), rejected)
    assert.equal(logged.length, 1)
    assert.deepEqual(Object.keys(Object(logged[0])).sort(), [
      'code',
      'provider',
      'reason',
      'retryAt',
      'variables',
    ])
    const [line] = (await rejectedKeys.list()).map(describeRejectedKey)
    assert.match(line ?? '', /FAL.*FAL_KEY is rejected/)
    assert.doesNotMatch(line ?? '', /Invalid key|fal-key/)
  })

  it('include only a rejected key or an empty account', async () => {
    const { rejectedKeys, upstream } = begin().start()
    for (const code of ['upstream_error', 'content_policy', 'rate_limited', 'endpoint_gone'] as const)
      await rejectedKeys.reportFault(upstream('fal'), fault(code, 'no'))
    assert.deepEqual(await rejectedKeys.list(), [])
    await rejectedKeys.reportFault(upstream('fal'), fault('no_credit', 'no'))
    assert.equal((await rejectedKeys.list()).length, 1)
  })

  it('of one host do not affect another host with its own keys', async () => {
    const { rejectedKeys, upstream } = begin().start()
    const ark = Object.entries(providers.bytedance.models).find(([, { host }]) => host === 'ark')?.[0]
    const visual = Object.entries(providers.bytedance.models).find(([, { host }]) => host !== 'ark')?.[0]
    await rejectedKeys.reportFault(upstream('bytedance', ark), rejected)
    assert.notEqual(await rejectedKeys.find(upstream('bytedance', ark)), undefined)
    assert.equal(await rejectedKeys.find(upstream('bytedance', visual)), undefined)
  })

  it('are shared with every process, also with one that starts later', async () => {
    const { start } = begin()
    const one = start()
    await one.rejectedKeys.reportFault(one.upstream('fal'), rejected)
    const other = start()
    assert.equal((await other.rejectedKeys.list())[0]?.reason, 'Invalid key')
    assert.deepEqual((await other.only()).kind, 'none')
  })

  it('a new key is tried at once', async () => {
    const { start } = begin()
    const one = start()
    await one.rejectedKeys.reportFault(one.upstream('fal'), rejected)
    const other = start({ FAL_KEY: 'repaired' })
    assert.deepEqual(await other.rejectedKeys.list(), [])
    assert.deepEqual(await routeOf(other.only()), ['fal'])
  })

  it('come last, until a retry is due', async () => {
    const { start, clock } = begin()
    const { rejectedKeys, upstream, choose } = start()
    assert.deepEqual(await routeOf(choose()), ['runware', 'fal'])
    await rejectedKeys.reportFault(upstream('runware'), rejected)
    assert.deepEqual(await routeOf(choose()), ['fal', 'runware'])
    clock.now += 300_000
    assert.deepEqual(await routeOf(choose()), ['runware', 'fal'])
  })

  it('a single job takes a due retry', async () => {
    const { start, clock } = begin()
    const [one, other] = [start(), start()]
    await one.rejectedKeys.reportFault(one.upstream('fal'), rejected)
    await other.rejectedKeys.list()
    assert.equal((await one.only()).kind, 'none')
    clock.now += 300_000
    const chosen = await Promise.all([one.only(), other.only(), one.only(), other.only()])
    assert.equal(chosen.filter(({ kind }) => kind === 'chosen').length, 1)
    assert.equal((await one.only()).kind, 'none')
    clock.now += 300_000
    assert.equal((await one.only()).kind, 'chosen')
  })

  it('a retry without a result can be taken again', async () => {
    const { start, clock } = begin()
    const { rejectedKeys, upstream, only } = start()
    await rejectedKeys.reportFault(upstream('fal'), rejected)
    clock.now += 300_000
    const chosen = await only()
    assert.equal((await only()).kind, 'none')
    if (chosen.kind === 'chosen') await chosen.release()
    assert.equal((await only()).kind, 'chosen')
  })

  it('are accepted again after the first success', async () => {
    const { start } = begin()
    const { rejectedKeys, upstream, only, logged } = start()
    await rejectedKeys.reportFault(upstream('fal'), rejected)
    await rejectedKeys.reportSuccess(upstream('fal'))
    assert.deepEqual(await routeOf(only()), ['fal'])
    assert.deepEqual(await start().rejectedKeys.list(), [])
    assert.equal(logged.length, 2)
    await rejectedKeys.reportSuccess(upstream('fal'))
    assert.equal(logged.length, 2)
  })

  it('Redis stores no key, and only the start of the upstream message', async () => {
    const { start, keys } = begin()
    const { rejectedKeys, upstream } = start()
    await rejectedKeys.reportFault(upstream('fal'), fault('bad_credentials', 'x'.repeat(100_000)))
    const [name = ''] = await redis.keys(`${keys.rejectedKey('fal', '')}*`)
    assert.doesNotMatch(name, /fal-key/)
    const entry = await redis.hgetall(name)
    assert.ok(JSON.stringify(entry).length < 500)
    assert.ok((await redis.pttl(name)) > 0)
  })

  it('a queued job moves to the next upstream, unless it takes the due retry', async () => {
    const { start, clock, keys } = begin()
    const { rejectedKeys } = start()
    const harness = createJobHarness(redis, `${keys.bull}job:`)
    const take = async (work: Partial<JobWork> = {}) => {
      const job = await harness.begin({ deps: { rejectedKeys, now: () => clock.now }, work })
      const next = await job.run()
      return { next, calls: job.calls, route: (await job.work())?.route }
    }
    const outcome = { provider: providers.runware, mapping: {} }
    await rejectedKeys.reportFault(outcome, rejected)
    assert.deepEqual(await take(), { next: { kind: 'move', queue: 'fal' }, calls: [], route: ['fal'] })
    clock.now += 300_000
    // Its deadline is by another clock.
    const retry = await take({ deadlineAt: Number.MAX_SAFE_INTEGER })
    assert.deepEqual(retry.calls, ['submit'])
    assert.equal(await rejectedKeys.find(outcome), undefined)
  })

  it('a queued job without another upstream waits for the retry, unless it takes it', async () => {
    const { start, clock, keys } = begin()
    const { rejectedKeys } = start()
    const harness = createJobHarness(redis, `${keys.bull}job:`)
    const accept = (work: Partial<JobWork> = {}) =>
      harness.begin({
        deps: { rejectedKeys, now: () => clock.now },
        work: { route: ['runware'], deadlineAt: Number.MAX_SAFE_INTEGER, ...work },
      })
    const early = await accept()
    clock.now += 1000
    await rejectedKeys.reportFault({ provider: providers.runware, mapping: {} }, rejected)
    clock.now += 1000
    assert.deepEqual(await early.run(), { kind: 'wait', at: clock.now + 30_000 })
    assert.deepEqual([early.calls, early.effects, await early.state()], [[], ['slot left'], 'pending'])
    // A process with another key goes on accepting jobs.
    const lateReply = await accept()
    assert.deepEqual(await lateReply.run(), { kind: 'wait', at: clock.now + 30_000 })
    assert.deepEqual(lateReply.calls, [])
    const retry = await accept({ retriesKey: true })
    await retry.run()
    assert.deepEqual(retry.calls, ['submit'])
    await early.run()
    assert.deepEqual(early.calls, ['submit'])
  })

  it('a submit that is rejected for the key records it before its job ends', async () => {
    const { start, keys } = begin()
    const { rejectedKeys } = start()
    const harness = createJobHarness(redis, `${keys.bull}job:`)
    const failed: Outcome = { kind: 'failed', fault: rejected }
    const job = await harness.begin({
      provider: { accept: () => failed },
      deps: { rejectedKeys },
      work: { route: ['runware'] },
    })
    await job.run()
    assert.equal(await job.error(), 'bad_credentials')
    assert.equal((await rejectedKeys.list())[0]?.provider, 'runware')
  })

  for (const [status, code] of [
    [401, 'bad_credentials'],
    [402, 'no_credit'],
    [403, 'bad_credentials'],
  ] as const) {
    it(`a poll with status ${status} ends no job, however the provider parses it`, async () => {
      const { start, keys } = begin()
      const { rejectedKeys } = start()
      const harness = createJobHarness(redis, `${keys.bull}job:`)
      const response: CallResult = { kind: 'reply', reply: { status, headers: {}, body: {}, baseUrl: '' } }
      const read: Outcome = { kind: 'failed', fault: fault(code, 'no') }
      const job = await harness.begin({
        sent: (path) => (path === 'submit' ? reply : response),
        provider: { read: () => read },
        deps: { rejectedKeys },
      })
      await job.run()
      const next = await job.run()
      assert.equal(next.kind, 'wait')
      assert.equal(await job.state(), 'queued')
      assert.equal((await rejectedKeys.list()).length, code === 'no_credit' ? 0 : 1)
      job.clock.now += 600_001
      await job.run()
      assert.equal(await job.error(), 'timeout')
    })

    it(`a search for a lost submit with status ${status} ends no job`, async () => {
      const { keys } = begin()
      const harness = createJobHarness(redis, `${keys.bull}job:`)
      const response: CallResult = { kind: 'reply', reply: { status, headers: {}, body: {}, baseUrl: '' } }
      const outcome: Outcome = { kind: 'failed', fault: fault(code, 'no') }
      const job = await harness.begin({
        sent: (path) => (path === 'submit' ? lost : response),
        provider: {
          find: { call: () => ({ method: 'GET', path: 'find' }), read: () => outcome, safeToResend: false },
        },
      })
      await job.run()
      job.clock.now += 5000
      await job.run()
      assert.equal(await job.state(), 'submitting')
    })
  }
})
