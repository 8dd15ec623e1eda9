import { JobRefused } from '../../src/accounts/check-account.ts'
import { createApi } from './api.ts'
import type { Environment } from './environment.ts'
import type { Decision, PlannedJob, Scenario } from './scenario.ts'
import { settings } from './settings.ts'

/** The outside view of a job. Points in time are those of `World.sequence`. */
export type KnownJob = PlannedJob & {
  id: string
  accepted?: number
  cancelAsked?: number
  /** The cancellation was confirmed. */
  canceled?: number
  /** A client has requested its deletion. */
  removed?: true
  /** What an operator decided on its hold, in order. */
  decisions: string[]
  /** The webhooks that its owner received: the end in each. */
  received: string[]
}

export type Outside = ReturnType<typeof createOutside>

/** All callers of the API process: clients, upstreams with callbacks, the operator. */
export function createOutside(environment: Environment, scenario: Scenario) {
  const { world, upstreams } = environment
  let api = createApi(environment, 'api')
  let restarts = 0
  const jobs = scenario.jobs.map(
    (job, index): KnownJob => ({ ...job, id: `job${index + 1}`, decisions: [], received: [] }),
  )
  world.onDeath((dead, { ms = 0 }) => {
    if (dead !== api.actor) return
    world.at(world.now() + ms, () => {
      api = createApi(environment, `api#${++restarts}`)
    })
  })

  /** A request to the API. One that fails is not repeated; a process that is down gets none. */
  function later(afterMs: number, run: () => Promise<unknown>): void {
    world.at(world.now() + afterMs, () =>
      world.start(api.actor, () =>
        api.actor.dead
          ? Promise.resolve()
          : run().catch((cause: unknown) => world.note(`${api.actor.name} FAILED ${cause}`)),
      ),
    )
  }

  async function submit(job: KnownJob): Promise<void> {
    const [first, ...rest] = job.route
    if (first === undefined) return
    await api.engine.create({
      id: job.id,
      owner: job.owner,
      model: 'video',
      input: { prompt: job.prompt },
      route: [first, ...rest],
      deadlineSeconds: job.deadlineSeconds,
      costUsd: settings.priceUsd,
      sandbox: false,
      webhook: { url: `https://${job.owner}.example/`, baseUrl: 'https://gateway.example' },
    })
    job.accepted = world.sequence()
    for (const { afterMs, do: what } of job.actions) later(afterMs, () => act(job, what))
  }

  async function act(job: KnownJob, what: PlannedJob['actions'][number]['do']): Promise<void> {
    const { engine, callBack, store } = api
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
    } else await callBack(job.id, (await store.read(job.id))?.callbackSecret ?? '', {})
  }

  async function decide({ how }: Decision): Promise<void> {
    const { unknown } = api
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
            if (!(cause instanceof JobRefused)) throw cause
          }),
        )
      for (const decision of scenario.decisions) later(decision.afterMs, () => decide(decision))
    },
    /** An upstream calls back. */
    callback(url: string, body: unknown): void {
      const [id = '', secret = ''] = url.split('/')
      later(0, () => api.callBack(id, secret, body))
    },
    received(id: string, type: string): void {
      jobs.find((one) => one.id === id)?.received.push(type)
    },
  }
}
