import { createBook } from '../../src/accounts/book.ts'
import { createEngine, Refused } from '../../src/engine/engine.ts'
import { createHints } from '../../src/engine/hint.ts'
import { createStore } from '../../src/engine/store.ts'
import { createUnknownJobs } from '../../src/engine/unknown.ts'
import { providers } from './providers.ts'
import { createQueueClient } from './queue.ts'
import { connect } from './redis-client.ts'
import type { PlannedJob, Scenario } from './scenario.ts'
import { settings } from './settings.ts'
import type { Environment } from './worker.ts'

/** What the outside knows of a job: what it was told, and when (`World.sequence`). */
export type KnownJob = PlannedJob & {
  id: string
  accepted?: number
  cancelAsked?: number
  canceled?: number
  /** A client has asked to delete it. */
  removed?: true
  decided?: 'charge' | 'release'
  /** How often its end was delivered. */
  notified: number
}

export type Outside = ReturnType<typeof createOutside>

/** Everybody who talks to the API process: clients, upstreams that call back, the operator. */
export function createOutside({ world, redis, server, queue, keys }: Environment, scenario: Scenario) {
  const actor = world.createActor('api')
  const connection = connect(world, { actor, redis, server })
  const store = createStore({ redis: connection, keys, ...settings.store, now: world.trueNow })
  const queues = createQueueClient(world, actor, { queue, server }).asQueues()
  const engine = createEngine({ store, queues, watchers: { watch: async () => () => undefined, close: () => undefined }, longestJobSeconds: 86_400 })
  const offers = { find: (_: unknown, name: keyof typeof providers) => ({ provider: providers[name], offer: providers[name].offers.video }) }
  const upstreams = new Proxy({}, { get: () => ({ settings: {}, credentials: {}, baseUrls: {} }) })
  const callBack = createHints({ now: world.trueNow, store, queues, offers, upstreams } as unknown as Parameters<typeof createHints>[0])
  const unknown = createUnknownJobs(store)
  const book = createBook({ redis: connection, keys })
  const jobs = scenario.jobs.map((job, index): KnownJob => ({ ...job, id: `job${index + 1}`, notified: 0 }))

  /** What fails is told to the client as an error; it does nothing more about it. */
  function later(afterMs: number, run: () => Promise<unknown>): void {
    world.at(world.now() + afterMs, () =>
      world.start(actor, () => run().catch((cause: unknown) => world.note(`api FAILED ${cause}`))),
    )
  }

  async function submit(job: KnownJob): Promise<void> {
    const [first, ...rest] = job.route
    if (first === undefined) return
    await engine.accept({
      id: job.id,
      owner: job.owner,
      model: 'video',
      input: { prompt: job.prompt },
      route: [first, ...rest],
      deadlineSeconds: job.deadlineSeconds,
      costUsd: settings.priceUsd,
      sandbox: false,
      webhook: { url: `https://${job.owner}.example/`, address: 'https://gateway.example' },
    })
    job.accepted = world.sequence()
    for (const { afterMs, do: what } of job.actions) later(afterMs, () => act(job, what))
  }

  async function act(job: KnownJob, what: PlannedJob['actions'][number]['do']): Promise<void> {
    if (what === 'cancel') {
      job.cancelAsked ??= world.sequence()
      await engine.cancel(job.id)
      job.canceled ??= world.sequence()
    } else if (what === 'delete') {
      job.removed = true
      await engine.remove(job.id)
    } else if (what === 'forgeCallback') {
      if (await callBack(job.id, 'guessed', { task: 'forged-1' })) world.note(`BROKEN a forged callback for ${job.id} was taken`)
    } else await callBack(job.id, (await store.read(job.id))?.hint ?? '', {})
  }

  async function decide(how: 'charge' | 'release'): Promise<void> {
    for (const { id } of await unknown.list()) {
      const owner = await unknown.decide(id, how)
      if (owner !== undefined) await book.resolve(owner, id, how)
      const job = jobs.find((one) => one.id === id)
      if (job !== undefined) job.decided = how
    }
  }

  return {
    jobs,
    start(): void {
      for (const job of jobs)
        later(job.atMs, () =>
          submit(job).catch((cause: unknown) => {
            if (!(cause instanceof Refused)) throw cause
          }),
        )
      if (scenario.decision !== undefined) later(scenario.decision.afterMs, () => decide(scenario.decision?.how ?? 'release'))
    },
    /** An upstream calls back. */
    callback(url: string, body: unknown): void {
      const [id = '', secret = ''] = url.split('/')
      later(0, () => callBack(id, secret, body))
    },
    notify(id: string): void {
      const job = jobs.find((one) => one.id === id)
      if (job !== undefined) job.notified += 1
    },
    decide: (how: 'charge' | 'release') => later(0, () => decide(how)),
  }
}
