import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/** Whose clock the running code reads. */
export type Clock = {
  /** What `Date.now` returns, unix ms. */
  now(): number
  /** What `performance.now` returns: it never goes back. */
  monotonic(): number
  sleep(ms: number): Promise<void>
  /** What `setInterval` does, where it is not to run all the time. */
  every?(ms: number, run: () => void): void
  /** From 0 to below 1. */
  random(): number
}

const clocks = new AsyncLocalStorage<Clock>()

/** The clock of the running code; undefined: the real one. */
export const currentClock = (): Clock | undefined => clocks.getStore()

/** Runs code on a virtual clock, here and after every await. */
export function runOn<T>(clock: Clock, run: () => T): T {
  return clocks.run(clock, run)
}

/** A timer on a virtual clock. */
class Timer {
  isCleared = false
  ref = () => this
  unref = () => this
}

/**
 * Replaces what differs from run to run, for the whole process: `Date.now`, `performance.now`, `Math.random`, `setTimeout`, `setInterval`, and the `setTimeout` of
 * `node:timers/promises`. Code outside of `runOn` keeps the real ones. Returns how to undo it. The engine takes its time from its options where it
 * can; this catches the rest.
 */
export function installVirtualTime(): () => void {
  const { now } = Date
  const { random } = Math
  const monotonic = performance.now.bind(performance)
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis
  const { setTimeout: sleep } = timers

  Date.now = () => clocks.getStore()?.now() ?? now()
  performance.now = () => clocks.getStore()?.monotonic() ?? monotonic()
  Math.random = () => clocks.getStore()?.random() ?? random()
  Object.assign(globalThis, {
    setTimeout(run: () => void, ms = 0, ...args: []) {
      const clock = clocks.getStore()
      if (clock === undefined) return setTimeout(run, ms, ...args)
      const timer = new Timer()
      void clock.sleep(ms).then(() => timer.isCleared || run(...args))
      return timer
    },
    setInterval(run: () => void, ms = 0, ...args: []) {
      const clock = clocks.getStore()
      if (clock === undefined) return setInterval(run, ms, ...args)
      const timer = new Timer()
      if (clock.every !== undefined) {
        clock.every(ms, () => timer.isCleared || run(...args))
        return timer
      }
      const next = (): unknown =>
        clock.sleep(ms).then(() => {
          if (timer.isCleared) return
          run(...args)
          void next()
        })
      void next()
      return timer
    },
    clearTimeout: (timer: Timer | NodeJS.Timeout | undefined) => clear(timer, clearTimeout),
    clearInterval: (timer: Timer | NodeJS.Timeout | undefined) => clear(timer, clearInterval),
  })
  timers.setTimeout = (async (ms = 1, value?: unknown, options?: object) => {
    const clock = clocks.getStore()
    if (clock === undefined) return sleep(ms, value, options)
    await clock.sleep(ms)
    return value
  }) as typeof sleep
  syncBuiltinESMExports()

  return () => {
    Date.now = now
    Math.random = random
    performance.now = monotonic
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval })
    timers.setTimeout = sleep
    syncBuiltinESMExports()
  }
}

function clear(timer: Timer | NodeJS.Timeout | undefined, real: (timer?: NodeJS.Timeout) => void): void {
  if (timer instanceof Timer) timer.isCleared = true
  else real(timer)
}
