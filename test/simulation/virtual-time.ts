import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/** Whose clock the running code reads. */
export type Clock = { now(): number; sleep(ms: number): Promise<void> }

const clocks = new AsyncLocalStorage<Clock>()

/** Runs code on a virtual clock: `Date.now` and the `setTimeout` of `node:timers/promises` follow it, here and after every await. */
export function runOn<T>(clock: Clock, run: () => T): T {
  return clocks.run(clock, run)
}

/**
 * Replaces the two sources of time for the whole process. Code outside of `runOn` keeps the real ones. Returns how to undo it.
 * The engine takes its time from its options where it can; this catches what still reads the global clock.
 */
export function installVirtualTime(): () => void {
  const { now } = Date
  const { setTimeout } = timers
  Date.now = () => clocks.getStore()?.now() ?? now()
  timers.setTimeout = (async (ms = 1, value?: unknown, options?: object) => {
    const clock = clocks.getStore()
    if (clock === undefined) return setTimeout(ms, value, options)
    await clock.sleep(ms)
    return value
  }) as typeof setTimeout
  syncBuiltinESMExports()
  return () => {
    Date.now = now
    timers.setTimeout = setTimeout
    syncBuiltinESMExports()
  }
}
