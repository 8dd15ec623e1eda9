import { createHolds } from '../../src/accounts/holds.ts'
import { createEngine, Refused } from '../../src/engine/engine.ts'
import { createHints } from '../../src/engine/hint.ts'
import { createStore } from '../../src/engine/store.ts'
import { createUnknownJobs } from '../../src/engine/unknown.ts'
import type { Environment } from './environment.ts'
import { offers, settingsOf } from './providers.ts'
import { createQueueClient } from './queue.ts'
import { connect } from './redis-client.ts'
import type { Decision, PlannedJob, Scenario } from './scenario.ts'
import { settings } from './settings.ts'

/** What the outside knows of a job. Points in time are those of `World.sequence`. */
export type KnownJob = PlannedJob & {
  id: string
  accepted?: number
  cancelAsked?: number
  /** The cancellation was confirmed. */
  canceled?: number
  /** A client has asked to delete it. */
  removed?: true
  /** What an operator decided on its hold, in order. */
  decisions: string[]
  /** The webhooks that its owner received: what each says of its end. */
  received: string[]
}

export type Outside = ReturnType<typeof createOutside>

/** Everybody who talks to the API process: clients, upstreams that call back, the operator. */
export function createOutside(
  { world, redis, server, queue, keys, upstreams }: Environment,
  scenario: Scenario,
) {
  const actor = world.createActor('api')
  const connection = connect(world, { actor, redis, server })
  const now = world.trueNow
  const store = createStore({ redis: connection, keys, ...settings.store, now })
  const queues = createQueueClient(world, actor, { queue, server }).asQueues()
  const watchers = { watch: async () => () => undefined, close: () => undefined }
  const engine = createEngine({ store, queues, watchers, longestJobSeconds: 86_400, withdraw, now })
  const configs = new Proxy({}, { get: () => ({ settings: {} }) }) as Parameters<
    typeof createHints
  >[0]['upstreams']
  const callBack = createHints({ now, store, queues, offers, upstreams: configs })
  const holds = createHolds({ redis: connection, keys })
  const unknown = createUnknownJobs({ store, holds, offers, settingsOf, deadlineMs: () => 300_000, now })
  const jobs = scenario.jobs.map(
    (job, index): KnownJob => ({ ...job, id: `job${index + 1}`, decisions: [], received: [] }),
  )

  /** As `src/engine/withdrawals.ts` does it, in memory. */
  async function withdraw(id: string): Promise<void> {
    later(0, async () => {
      while (!(await store.askCancel(id, 'withdrawn').then(Boolean, () => false))) await actor.sleep(1000)
    })
  }

  /** A request to the API. One that fails is not repeated. */
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
      if (await callBack(job.id, 'guessed', { task: 'forged-1' }))
        world.note(`BROKEN a forged callback for ${job.id} was taken`)
    } else await callBack(job.id, (await store.read(job.id))?.hint ?? '', {})
  }

  async function decide({ how }: Decision): Promise<void> {
    for (const { id } of await unknown.list()) {
      const job = jobs.find((one) => one.id === id)
      const purchase = Object.values(upstreams)
        .flatMap(({ purchases }) => purchases)
        .find(({ jobId }) => jobId === id)
      const adopts = how === 'adopt' && purchase !== undefined
      job?.decisions.push(adopts ? 'adopt' : how === 'charge' ? 'charge' : 'release')
      if (adopts) await unknown.adopt(id, { ticket: purchase.taskId, by: 'operator' })
      else await unknown.decide(id, { decision: how === 'charge' ? 'charge' : 'release', by: 'operator' })
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
      for (const decision of scenario.decisions) later(decision.afterMs, () => decide(decision))
    },
    /** An upstream calls back. */
    callback(url: string, body: unknown): void {
      const [id = '', secret = ''] = url.split('/')
      later(0, () => callBack(id, secret, body))
    },
    received(id: string, type: string): void {
      jobs.find((one) => one.id === id)?.received.push(type)
    },
  }
}
