import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fault } from '../../providers/fault.ts'
import type { Outcome, Provider, Reply } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import { createKeys, type Keys } from '../../src/engine/keys.ts'
import { lookLate } from '../../src/engine/late.ts'
import type { Parts } from '../../src/engine/parts.ts'
import { step } from '../../src/engine/step.ts'
import { createStore, type Store } from '../../src/engine/store.ts'
import type { Sent } from '../../src/engine/transport.ts'
import { createCleanup, quiet, startRedis } from '../setup.ts'

const [model = ''] = Object.keys(runware.offers)
const refused: Outcome = { kind: 'failed', fault: fault('no_credit', 'no money') }
const took: Outcome = { kind: 'running', ticket: { task: 1 }, stage: 'queued' }
const silent: Outcome = { kind: 'unclear', fault: fault('upstream_error', 'no sense') }
const nothing: Reply = { status: 200, headers: {}, body: {}, baseUrl: '' }

/** What happens where steps of two processes overlap, or a step is not let through: one record, a clock moved by hand, an upstream of the test's own. */
describe('races and dead ends of a step', () => {
  const cleanup = createCleanup()
  let keys: Keys
  let store: Store
  let redis: Awaited<ReturnType<typeof startRedis>>['redis']
  let jobs = 0

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    keys = createKeys('races:')
    store = createStore({ redis, keys, keepMs: 3_600_000 })
  })
  after(() => cleanup.run())

  type Upstream = {
    /** What happens while a call is under way; the answer to it. */
    sent?: (what: string) => Promise<Sent> | Sent
    provider?: Partial<Provider>
    offered?: boolean
  }

  async function begin({ sent = () => reply, provider = {}, offered = true }: Upstream) {
    const id = `job${++jobs}`
    const clock = { now: 1_800_000_000_000 }
    const calls: string[] = []
    const call = (path: string) => ({ method: 'GET', path }) as const
    const upstream: Provider = {
      ...runware,
      submit: () => call('submit'),
      accept: () => took,
      poll: ({ phase }) => call(`poll ${phase ?? ''}`),
      read: () => silent,
      find: { call: () => call('find'), read: () => ({ kind: 'absent' }), safeToResend: true },
      task: { id: ({ task }) => `${id} ${task}`, ticket: (task) => ({ task }) },
      ...provider,
    }
    const offer = runware.offers[model]
    const parts = {
      store,
      offers: { find: () => (offered && offer ? { provider: upstream, offer } : undefined) },
      transport: {
        send: (_: Provider, __: unknown, { path }: { path: string }) => {
          calls.push(path)
          return sent(path)
        },
      },
      inputs: {
        prepare: async () => ({ kind: 'ready', input: {}, handed: {}, inline: [], release: () => undefined }),
        recall: async () => ({}),
      },
      journal: {
        begin: async () => undefined,
        keepReply: async () => undefined,
        discard: async () => undefined,
        find: async () => undefined,
      },
      confirmReplicas: async () => undefined,
      slots: { ask: async () => ({ mine: true, others: [] }), leave: async () => [] },
      renderTimes: { usual: async () => 1000, learn: async () => undefined },
      watchLate: async () => undefined,
      upstreams: { runware: { settings: {} }, fal: { settings: {} } },
      typicalMs: () => 1000,
      timeoutMs: 1000,
      longestPollMs: 5000,
      reconcileMs: 20_000,
      taskLostMs: 600_000,
      logger: quiet,
      now: () => clock.now,
      sleep: async () => undefined,
    } as unknown as Parts
    await store.accept({
      view: { id, version: 1, model, state: 'pending', progress: 0, createdAt: clock.now, costUsd: 1 },
      owner: 'ann',
      input: {},
      work: {
        route: ['runware', 'fal'],
        deadlineAt: clock.now + 600_000,
        refusals: 0,
        misses: 0,
        polls: 0,
      },
      hint: 'secret',
      dueAt: clock.now,
      queue: 'runware',
    })
    const state = async () => (await store.status(id))?.view.state
    const work = async () => (await store.read(id))?.work
    const error = async () => (await store.status(id))?.view.error?.code
    const run = () => step(parts, id, 'runware')
    /** Steps, each when the one before says so, as long as there are any. */
    const runAll = async () => {
      for (let next = await run(); next.kind === 'wait'; next = await run()) {
        clock.now = Math.max(clock.now + 1, next.at)
        if (calls.length > 500) assert.fail('it goes on and on')
      }
    }
    return { id, clock, calls, parts, run, runAll, state, work, error }
  }

  const reply: Sent = { kind: 'reply', reply: nothing }
  const lost: Sent = { kind: 'lost', fault: fault('upstream_unreachable', 'cut') }

  it('a refusal of the first sending that comes while the call is sent again does not send the job elsewhere', async () => {
    let late = (): void => undefined
    const held = new Promise<Sent>((resolve) => {
      late = () => resolve({ kind: 'unsent', fault: fault('upstream_unreachable', 'refused') })
    })
    let submits = 0
    let first: Promise<unknown> = Promise.resolve()
    const job = await begin({
      sent: async (path) => {
        if (path !== 'submit') return reply
        submits += 1
        if (submits === 1) return held
        job.clock.now = began
        late()
        await first
        job.clock.now = then
        return reply
      },
    })
    const began = job.clock.now
    first = job.run()
    while (submits === 0) await new Promise((resolve) => setImmediate(resolve))
    let then = began
    while (submits < 2) {
      const next = await job.run()
      assert.equal(next.kind, 'wait')
      if (next.kind === 'wait') then = job.clock.now = next.at
    }
    assert.equal(await job.state(), 'queued')
    assert.deepEqual((await job.work())?.route, ['runware', 'fal'])
  })

  it('a refusal of the second sending tells nothing of the first: the job is not bought elsewhere', async () => {
    let submits = 0
    const job = await begin({
      sent: (path) => (path === 'submit' && ++submits === 1 ? lost : reply),
      provider: { accept: () => refused },
    })
    await job.runAll()
    assert.ok(submits > 1)
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('an answer counts though the Redis that took over has never seen the intent', async () => {
    const job = await begin({
      sent: async () => {
        await redis.hset(keys.job(job.id), { state: 'pending', attempt: '' })
        return reply
      },
    })
    await job.run()
    assert.equal(await job.state(), 'queued')
  })

  it('a lost answer that cannot be looked for ends all the same', async () => {
    const breaks = () => assert.fail('a body that nobody thought of')
    const job = await begin({
      sent: () => lost,
      provider: { find: { call: breaks, read: () => silent, safeToResend: false } },
    })
    await job.runAll()
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('an upstream that has no offer any more is passed over, or found nothing at', async () => {
    const job = await begin({ offered: false })
    assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })
    assert.deepEqual(job.calls, [])

    const cut = await begin({ sent: () => lost })
    await cut.run()
    cut.parts.offers.find = () => undefined
    await cut.runAll()
    assert.equal(await cut.error(), 'submission_unknown')
  })

  it('a call that cannot be put together leaves no intent behind', async () => {
    const job = await begin({ provider: { submit: () => assert.fail('no words for it') } })
    await assert.rejects(job.run())
    assert.equal(await job.state(), 'pending')
    assert.deepEqual(job.calls, [])
  })

  it('no Retry-After keeps a job beyond its time', async () => {
    const after = { ...fault('rate_limited', 'come back'), retryAfterMs: 1e12 }
    const job = await begin({ provider: { accept: () => ({ kind: 'failed', fault: after }) } })
    assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })

    const running = await begin({ provider: { read: () => ({ kind: 'unclear', fault: after }) } })
    await running.runAll()
    assert.equal(await running.error(), 'timeout')
  })

  it('a job that has stood in line for long is not given up at its first refusal', async () => {
    const busy = fault('rate_limited', 'busy')
    const job = await begin({ provider: { accept: () => ({ kind: 'failed', fault: busy }) } })
    await redis.hset(
      keys.job(job.id),
      'work',
      JSON.stringify({ ...(await job.work()), route: ['runware'], deadlineAt: job.clock.now + 7_200_000 }),
    )
    job.clock.now += 3_600_000
    assert.equal((await job.run()).kind, 'wait')
    assert.equal(await job.state(), 'pending')
    await job.runAll()
    assert.equal(await job.error(), 'rate_limited')
  })

  it('one "unknown" after a long outage does not lose a task', async () => {
    const said: Outcome[] = [
      ...Array<Outcome>(20).fill(silent),
      { kind: 'unclear', fault: fault('task_lost', '?') },
    ]
    const done: Outcome = { kind: 'done', videos: [{ url: 'https://files.example/a.mp4' }] }
    const job = await begin({ provider: { read: () => said.shift() ?? done } })
    await job.runAll()
    assert.equal(await job.state(), 'delivering')
  })

  it('what was finished while nobody asked is fetched, though the deadline has passed', async () => {
    const done: Outcome = { kind: 'done', videos: [{ url: 'https://files.example/a.mp4' }] }
    const job = await begin({ provider: { read: () => done } })
    await job.run()
    job.clock.now += 3_600_000
    await job.run()
    assert.equal(await job.state(), 'delivering')
  })

  it('a job that was to stop ends soon, though its upstream answers nothing', async () => {
    const job = await begin({ provider: { cancel: () => ({ method: 'PUT', path: 'cancel' }) } })
    await job.run()
    const began = job.clock.now
    await store.askCancel(job.id)
    await job.runAll()
    assert.equal(await job.error(), 'canceled')
    assert.ok(job.clock.now - began < 120_000, `${job.clock.now - began} ms`)
  })

  it('a late success is noted where it takes two calls to see it', async () => {
    const done: Outcome = { kind: 'done', videos: [{ url: 'https://files.example/late.mp4' }] }
    const turned: Outcome = {
      kind: 'running',
      ticket: { task: 1, phase: 'result' },
      stage: 'queued',
      now: true,
    }
    const read: Provider['read'] = (_, { phase }) => (phase === 'result' ? done : turned)
    const job = await begin({ provider: {} })
    await job.runAll()
    assert.equal(await job.error(), 'timeout')
    const found = job.parts.offers.find({ id: model }, 'runware')
    assert.ok(found)
    found.provider.read = read
    assert.deepEqual(await lookLate(job.parts, job.id), { kind: 'end' })
    assert.match((await store.events(job.id)).at(-1)?.reason ?? '', /late success/)
  })
})
