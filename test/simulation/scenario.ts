import fc from 'fast-check'
import { type CallType, type Fault, type FaultKind, faultKinds, type Trigger } from './faults.ts'
import { type SimulatedName, simulatedNames } from './providers.ts'
import type { Render } from './upstream.ts'

/** What a client does with a job after its submit. */
export type Action = { afterMs: number; do: 'cancel' | 'delete' | 'forgeCallback' | 'callBack' }

/** `adopt`: the task that the upstream has for the job, if there is one. */
export type Decision = { afterMs: number; how: 'charge' | 'release' | 'adopt' }

export type PlannedJob = {
  atMs: number
  prompt: string
  owner: string
  route: readonly SimulatedName[]
  deadlineSeconds: number
  uploadMs: number
  /** How long it takes to fetch the finished files. */
  fetchMs: number
  render: Render
  actions: readonly Action[]
}

/** Everything that a run is made of, beside the order in which the scheduler takes the tasks. Plain data: it can be printed and shrunk. */
export type Scenario = {
  salt: number
  jobs: readonly PlannedJob[]
  faults: readonly Fault[]
  callbacks: boolean
  /** Whether all workers have one DATA_DIR. */
  sharedDisk: boolean
  maxInFlight: number
  /** Whether purchases wait for replicas (REDIS_WAIT_REPLICAS). */
  replicas: boolean
  /** When the operator decides on all jobs whose money is on hold. */
  decisions: readonly Decision[]
}

const ms = (...choices: number[]) => fc.constantFrom(...choices)

const render: fc.Arbitrary<Render> = fc.record({
  ms: ms(15_000, 40_000, 5_000, 0, 90_000),
  end: fc.constantFrom('done', 'done', 'done', 'done', 'done', 'failed', 'never'),
  callbacksMs: fc.array(ms(0, 500, 10_000), { maxLength: 2 }),
})

const action: fc.Arbitrary<Action> = fc.record({
  afterMs: ms(0, 1000, 5000, 11_000, 20_000, 45_000, 200_000),
  do: fc.constantFrom('cancel', 'callBack', 'forgeCallback', 'delete'),
})

const job: fc.Arbitrary<PlannedJob> = fc.record({
  atMs: ms(0, 0, 200, 5000),
  prompt: fc.constantFrom('boat', 'boat', 'cat'),
  owner: fc.constantFrom('ann', 'bob'),
  route: fc.shuffledSubarray(simulatedNames, { minLength: 1, maxLength: 2 }),
  deadlineSeconds: ms(300, 120, 1200),
  uploadMs: ms(0, 0, 4000),
  fetchMs: ms(0, 3000, 8000),
  render,
  actions: fc.array(action, { maxLength: 2 }),
})

/** Calls around a purchase are few among all calls, and matter most. */
const anyCall: fc.Arbitrary<CallType | 'any'> = fc.constantFrom(
  'any',
  'any',
  'purchase',
  'intent',
  'journal',
  'transition',
  'transition',
  'claim',
  'poll',
  'find',
  'fetch',
  'queue',
  'accept',
)

/** About so many calls of a type there are in a run; others happen more often. */
const usualCalls: Partial<Record<CallType | 'any', number>> = {
  any: 200,
  accept: 3,
  purchase: 3,
  intent: 4,
  find: 4,
  stop: 1,
  fetch: 3,
  poll: 6,
  webhook: 3,
}

const on = (type: fc.Arbitrary<CallType | 'any'>): fc.Arbitrary<Trigger> =>
  type.chain((name) => fc.record({ on: fc.constant(name), nth: fc.nat(usualCalls[name] ?? 12) }))

const only = (...types: CallType[]) => on(fc.constantFrom(...types))
const kind = <K extends FaultKind>(name: K) => fc.constant(name)

const faults: Readonly<Record<FaultKind, fc.Arbitrary<Fault>>> = {
  crash: fc.record({
    kind: kind('crash'),
    at: on(anyCall),
    executed: fc.boolean(),
    ms: ms(0, 3000, 30_000),
    disk: fc.constantFrom('kept', 'kept', 'torn', 'powerCut', 'lost'),
  }),
  freeze: fc.record({
    kind: kind('freeze'),
    at: on(anyCall),
    executed: fc.boolean(),
    ms: ms(4000, 15_000, 60_000, 200_000),
  }),
  clock: fc.record({
    kind: kind('clock'),
    at: on(anyCall),
    byMs: ms(2000, -2000, 2_400_000, -2_400_000),
    ms: ms(30_000, 600_000),
  }),
  redisRefuses: fc.record({
    kind: kind('redisRefuses'),
    at: on(anyCall),
    ms: ms(0, 4500, 30_000),
    error: fc.constantFrom('OOM', 'READONLY', 'NOREPLICAS', 'MISCONF'),
  }),
  redisLosesReply: fc.record({
    kind: kind('redisLosesReply'),
    at: only('claim', 'intent', 'transition', 'write', 'accept', 'queue'),
    executed: fc.boolean(),
  }),
  redisRunsTwice: fc.record({
    kind: kind('redisRunsTwice'),
    at: only('claim', 'intent', 'transition', 'write', 'accept', 'queue'),
  }),
  redisLosesWrites: fc.record({ kind: kind('redisLosesWrites'), since: on(anyCall), at: on(anyCall) }),
  replyLost: fc.record({
    kind: kind('replyLost'),
    at: only('purchase', 'purchase', 'poll', 'find', 'stop', 'webhook'),
    executed: fc.boolean(),
    error: fc.constantFrom('reset', 'unsent'),
  }),
  slow: fc.record({ kind: kind('slow'), at: only('purchase', 'poll', 'find'), ms: ms(3000, 9000, 12_000) }),
  refused: fc.record({
    kind: kind('refused'),
    at: only('purchase'),
    error: fc.constantFrom('429', '402', '500'),
  }),
  repeatsId: fc.record({ kind: kind('repeatsId'), at: only('purchase') }),
  forgets: fc.record({ kind: kind('forgets'), at: only('poll', 'find'), ms: ms(20_000, 70_000, 1e9) }),
  pollFails: fc.record({ kind: kind('pollFails'), at: only('poll', 'find', 'stop') }),
  webhookFails: fc.record({ kind: kind('webhookFails'), at: only('webhook') }),
  storeFails: fc.record({ kind: kind('storeFails'), at: only('fetch'), ms: ms(5000, 600_000) }),
}

/** `kinds`: which faults may happen. */
export function scenarios(kinds: readonly FaultKind[] = faultKinds): fc.Arbitrary<Scenario> {
  const any = fc.record({
    salt: fc.nat(0xffff),
    jobs: fc.array(job, { minLength: 1, maxLength: 4 }),
    faults:
      kinds.length === 0
        ? fc.constant([])
        : fc.array(fc.oneof(...kinds.map((name) => faults[name])), { maxLength: 8 }),
    callbacks: fc.boolean(),
    sharedDisk: fc.boolean(),
    replicas: fc.boolean(),
    maxInFlight: fc.constantFrom(0, 0, 1, 2),
    decisions: fc.array(
      fc.record({ afterMs: ms(160_000, 600_000), how: fc.constantFrom('adopt', 'charge', 'release') }),
      { maxLength: 2 },
    ),
  })
  return fc.noBias(any.map(withPurchasesSecured))
}

/** Lost writes are survived by a journal that all workers share and keep, or by purchases that wait for replicas (`docs/reliability.md`). */
function withPurchasesSecured(scenario: Scenario): Scenario {
  const loses = scenario.faults.some(({ kind }) => kind === 'redisLosesWrites')
  if (scenario.replicas || !loses) return scenario
  const keepDisk = (fault: Fault): Fault => (fault.disk === 'lost' ? { ...fault, disk: 'kept' } : fault)
  return { ...scenario, sharedDisk: true, faults: scenario.faults.map(keepDisk) }
}
