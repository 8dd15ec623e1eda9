import assert from 'node:assert/strict'
import type { Redis } from 'ioredis'
import { fault } from '../../providers/faults.ts'
import type { Outcome, Provider, Reply } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import type { JobWork } from '../../src/jobs/job.ts'
import type { StepDeps } from '../../src/jobs/steps/deps.ts'
import { runStep } from '../../src/jobs/steps/step-runner.ts'
import { createJobStore, type JobStore } from '../../src/jobs/store/store.ts'
import { createKeys } from '../../src/redis/keys.ts'
import type { CallResult } from '../../src/upstreams/transport.ts'
import { quiet } from '../support/setup.ts'

export const [model = ''] = Object.keys(runware.models)

export const refused: Outcome = { kind: 'failed', fault: fault('no_credit', 'no money') }
export const accepted: Outcome = { kind: 'running', ticket: { task: 1 }, stage: 'queued' }
export const unclear: Outcome = { kind: 'unclear', fault: fault('upstream_error', 'no sense') }
export const done: Outcome = { kind: 'done', videos: [{ url: 'https://files.example/a.mp4' }] }

const empty: Reply = { status: 200, headers: {}, body: {}, baseUrl: '' }
export const reply: CallResult = { kind: 'reply', reply: empty }
export const lost: CallResult = { kind: 'lost', fault: fault('upstream_unreachable', 'cut') }

export type Upstream = {
  /** What happens during a call; its result. */
  sent?: (path: string) => Promise<CallResult> | CallResult
  provider?: Partial<Provider>
  /** Whether the upstream still has an endpoint for the model. */
  offered?: boolean
  /** Replaces any other dependency of a step. */
  deps?: Partial<StepDeps>
  work?: Partial<JobWork>
}

/** Runs the steps of jobs on a real Redis, with a manual clock and an upstream by the test. */
export function createJobHarness(redis: Redis, prefix: string, pollIntervalMs = 0) {
  const keys = createKeys(prefix)
  const clocks: { now: number }[] = []
  const store: JobStore = createJobStore({
    redis,
    keys,
    keepMs: 3_600_000,
    ...(pollIntervalMs > 0 && {
      minPollIntervalMs: pollIntervalMs,
      now: () => clocks.at(-1)?.now ?? Date.now(),
    }),
  })
  let jobs = 0

  async function begin({ sent = () => reply, provider = {}, offered = true, deps: other, work }: Upstream) {
    const id = `job${++jobs}`
    // Not before the time of Redis, which decides about deadlines.
    const clock = { now: Date.now() + 1000 }
    clocks.push(clock)
    /** The calls to the upstream, and the side effects other than writing the record. */
    const calls: string[] = []
    const effects: string[] = []
    const call = (path: string) => ({ method: 'GET', path }) as const
    const upstream: Provider = {
      ...runware,
      submit: () => call('submit'),
      accept: () => accepted,
      poll: ({ phase }) => call(`poll ${phase ?? ''}`),
      read: () => unclear,
      find: { call: () => call('find'), read: () => ({ kind: 'absent' }), safeToResend: true },
      task: { id: ({ task }) => `${id} ${task}`, reference: (task) => ({ task }) },
      ...provider,
    }
    const mapping = runware.models[model]
    const deps = {
      store,
      routing: { find: () => (offered && mapping ? { provider: upstream, mapping } : undefined) },
      transport: {
        send: (_: Provider, __: unknown, { path }: { path: string }) => {
          calls.push(path)
          return sent(path)
        },
      },
      inputUploader: {
        prepare: async () => ({
          kind: 'ready',
          input: {},
          uploadedLinks: {},
          inline: [],
          release: () => effects.push('input released'),
        }),
        toSentInput: async () => ({}),
      },
      journal: {
        begin: async ({ attempt }: { attempt: { id: string } }) => void effects.push(`begun ${attempt.id}`),
        storeReply: async (attempt: string) => void effects.push(`replied ${attempt}`),
        discardReply: async (attempt: string) => void effects.push(`reply discarded ${attempt}`),
        discard: async (attempt: string) => void effects.push(`discarded ${attempt}`),
        markStored: (attempt: string) => void effects.push(`settled ${attempt}`),
        hasMade: () => false,
        find: async () => undefined,
      },
      hasRestored: () => true,
      confirmReplicas: async () => undefined,
      slots: {
        acquire: async () => ({ isAcquired: true, granted: [] }),
        release: async () => {
          effects.push('slot left')
          return []
        },
      },
      renderTimes: {
        estimateMs: async () => 1000,
        addMeasurement: async (_: string, __: string, tookMs: number) =>
          void effects.push(`learned ${tookMs}`),
      },
      schedulePollForLateResult: async () => void effects.push('watched late'),
      upstreams: { runware: { settings: {} }, fal: { settings: {} } },
      defaultRenderMs: () => 1000,
      callTimeoutMs: 1000,
      maxPollIntervalMs: 5000,
      reconcileTimeoutMs: 20_000,
      taskLostMs: 600_000,
      logger: quiet,
      now: () => clock.now,
      sleep: async () => undefined,
      ...other,
    } as unknown as StepDeps
    await store.create({
      view: {
        id,
        version: 1,
        model,
        state: 'pending',
        progress: 0,
        createdAt: clock.now,
        costUsd: 1,
      },
      owner: 'ann',
      input: {},
      work: {
        route: ['runware', 'fal'],
        deadlineAt: clock.now + 600_000,
        refusals: 0,
        misses: 0,
        polls: 0,
        ...work,
      },
      callbackSecret: 'secret',
      dueAt: clock.now,
      queue: 'runware',
    })
    const run = () => runStep(deps, id, 'runware')
    return {
      id,
      clock,
      calls,
      effects,
      deps,
      run,
      /** Runs steps, each when the one before schedules it, until there are none. */
      async runAll() {
        for (let next = await run(); next.kind === 'wait'; next = await run()) {
          clock.now = Math.max(clock.now + 1, next.at)
          if (calls.length > 500) assert.fail('it goes on and on')
        }
      },
      state: async () => (await store.readStatus(id))?.view.state,
      work: async () => (await store.read(id))?.work,
      error: async () => (await store.readStatus(id))?.view.error?.code,
      history: () => store.readHistory(id),
      submits: () => calls.filter((path) => path === 'submit').length,
    }
  }

  return { keys, store, begin }
}
