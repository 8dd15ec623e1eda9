import { createHash } from 'node:crypto'
import type { Scheduler } from 'fast-check'
import type { CallType, Fault, Faults, Hit } from './faults.ts'
import { settings } from './settings.ts'
import { type Clock, runOn } from './virtual-time.ts'

/** A process, or an outside party: everything that acts. A dead one never continues, a frozen one continues later. */
export type Actor = Clock & {
  name: string
  /** Whether it may die or freeze. */
  mortal: boolean
  dead: boolean
  frozenUntil: number
  /** How far its clock is ahead of the true time, and how far it knows so. */
  skewMs: number
  knownSkewMs: number
}

type Call = { type: CallType; label: string }

type Task = Call & {
  actor: Actor
  /** Does the outside part of the call. The faults are those that hit it. */
  effect(hits: readonly Hit[]): Promise<() => void>
  counted?: true
}

export type World = ReturnType<typeof createWorld>

/** Calls after which more may wait in the queues than before. */
const mayQueue = new Set<CallType>(['accept', 'transition', 'queue', 'write'])

/** The first moment of each run. */
export const startMs = 1_800_000_000_000

/**
 * The simulated world: one clock, one scheduler, one trace. Every call of an actor to the outside is a task; the scheduler decides in
 * which order tasks execute, one at a time, and time only passes when no task is left.
 */
export function createWorld({
  scheduler,
  faults,
  random,
}: {
  scheduler: Scheduler
  faults: Faults
  random(): number
}) {
  let now = startMs
  let sequence = 0
  let isChanged = true
  const timers: { at: number; order: number; run(): void }[] = []
  const suspended: Task[] = []
  const trace: string[] = []
  const hash = createHash('sha256')

  function note(line: string): void {
    const text = `${now - startMs} ${line}`
    hash.update(`${text}\n`)
    trace.push(text)
  }

  function at(time: number, run: () => void): void {
    timers.push({ at: Math.max(time, now), order: ++sequence, run })
    timers.sort((a, b) => a.at - b.at || a.order - b.order)
  }

  function enqueue(task: Task): void {
    if (task.actor.dead) return
    if (task.actor.frozenUntil > now) suspended.push(task)
    else
      void scheduler.schedule(Promise.resolve(), '', undefined, async (done) => {
        await execute(task)
        await done()
      })
  }

  async function execute(task: Task): Promise<void> {
    const { actor, type, label } = task
    if (actor.dead) return
    if (actor.frozenUntil > now) return void suspended.push(task)
    const hits = task.counted ? [] : faults.take(type)
    task.counted = true
    const crash = actor.mortal ? hits.find(({ kind }) => kind === 'crash') : undefined
    const freeze = actor.mortal ? hits.find(({ kind }) => kind === 'freeze') : undefined
    if (hits.length > 0) note(`${actor.name} ${label} FAULTS ${hits.map(describe).join(', ')}`)
    for (const hit of hits) {
      if (hit.kind === 'clock') jump(actor, hit)
      for (const apply of appliers) await apply(hit)
    }

    if (freeze !== undefined && freeze.executed !== true) {
      suspend(actor, freeze.ms ?? 0)
      return void suspended.push(task)
    }
    if (crash !== undefined && crash.executed !== true) return kill(actor, crash)
    const resume = await runOn(actor, () => task.effect(hits))
    if (mayQueue.has(type)) isChanged = true
    if (crash !== undefined) return kill(actor, crash)
    if (freeze !== undefined) {
      suspend(actor, freeze.ms ?? 0)
      return void suspended.push({ ...task, effect: async () => resume })
    }
    if (!actor.dead) resume()
  }

  function suspend(actor: Actor, ms: number): void {
    actor.frozenUntil = now + ms
    at(actor.frozenUntil, () => {
      for (const task of suspended.splice(0)) enqueue(task)
    })
  }

  /** A clock is compared with that of Redis periodically, and corrected after a while. */
  function jump(actor: Actor, { byMs = 0, ms = 0 }: Hit): void {
    actor.skewMs = byMs
    const check = () => {
      actor.knownSkewMs = actor.skewMs
      isChanged = true
    }
    at(now + settings.clockCheckMs, check)
    at(now + ms, () => {
      actor.skewMs = 0
    })
    at(now + ms + settings.clockCheckMs, check)
  }

  const appliers: ((hit: Hit) => unknown)[] = []
  const deaths: ((actor: Actor, fault: Fault) => unknown)[] = []

  async function kill(actor: Actor, fault: Fault): Promise<void> {
    actor.dead = true
    isChanged = true
    for (const notify of deaths) await notify(actor, fault)
  }

  return {
    now: () => now,
    /** The true time, which is that of Redis. */
    trueNow: () => now,
    note,
    /** Workers may find something to do. */
    changed: () => {
      isChanged = true
    },
    at,
    /** Registers what a fault does to more than the call that it hits. */
    onFault: (apply: (hit: Hit) => unknown) => appliers.push(apply),
    /** Registers what happens when an actor dies. */
    onDeath: (notify: (actor: Actor, fault: Fault) => unknown) => deaths.push(notify),
    trace,
    /** Of everything that has happened, in order. */
    digest: () => hash.copy().digest('hex'),
    /** Grows with each call; orders events that happen at one time. */
    sequence: () => ++sequence,

    createActor(name: string, mortal = false): Actor {
      const actor: Actor = {
        name,
        mortal,
        dead: false,
        frozenUntil: 0,
        skewMs: 0,
        knownSkewMs: 0,
        now: () => now + actor.skewMs,
        monotonic: () => now,
        random,
        sleep: (ms) =>
          new Promise((resolve) =>
            at(now + ms, () =>
              enqueue({ actor, type: 'timer', label: 'wakes', effect: async () => resolve }),
            ),
          ),
      }
      return actor
    },

    /** Starts code of an actor on its clock. */
    start: (actor: Actor, run: () => Promise<unknown>): void => {
      runOn(actor, () => void run())
    },
    run: <T>(actor: Actor, run: () => T): T => runOn(actor, run),

    /** One call of an actor to the outside. */
    call<T>(actor: Actor, { type, label }: Call, effect: (hits: readonly Hit[]) => Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        enqueue({
          actor,
          type,
          label,
          async effect(hits) {
            try {
              const value = await effect(hits)
              note(`${actor.name} ${label}`)
              return () => resolve(value)
            } catch (cause) {
              note(`${actor.name} ${label} FAILED ${(cause as Error).message}`)
              return () => reject(cause)
            }
          },
        })
      })
    },

    /** Executes tasks until none is left. Rejects when there is no end of it. */
    async settle(mostTasks: number, changed: () => Promise<void>): Promise<void> {
      for (;;) {
        await immediate()
        await immediate()
        if (isChanged) {
          isChanged = false
          await changed()
        }
        if (scheduler.count() === 0) return
        await scheduler.waitOne()
        if (++sequence > mostTasks) throw new Error('the run does not end')
      }
    },

    /** Lets time pass up to the next timer, or `other` if that is earlier; false: there is neither. */
    advance(other: number): boolean {
      const next = Math.min(timers[0]?.at ?? Number.POSITIVE_INFINITY, other)
      if (next === Number.POSITIVE_INFINITY) return false
      now = Math.max(now, next)
      isChanged = true
      while (timers[0] !== undefined && timers[0].at <= now) timers.shift()?.run()
      return true
    },
  }
}

function describe({ kind, snapshot, executed, ms, byMs, error }: Hit): string {
  const deps = [kind, snapshot && 'snapshot', executed && 'executed', ms ?? byMs, error]
  return deps.filter(Boolean).join(' ')
}

function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
