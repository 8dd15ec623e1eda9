import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/** Whose clock the running code reads. */
export type Clock = {
  /** What `Date.now` returns, unix ms. */
  now(): number
  sleep(ms: number): Promise<void>
}

const clocks = new AsyncLocalStorage<Clock>()

/** Runs code on a virtual clock, here and after every await. */
export function runOn<T>(clock: Clock, run: () => T): T {
  return clocks.run(clock, run)
}

/**
 * Replaces the sources of time for the whole process: `Date.now`, `setTimeout`, and the one of `node:timers/promises`. Code outside of `runOn`
 * keeps the real ones. Returns how to undo it. The engine takes its time from its options where it can; this catches the rest.
 */
export function installVirtualTime(): () => void {
  const { now } = Date
  const { setTimeout: later } = globalThis
  const { setTimeout: sleep } = timers
  Date.now = () => clocks.getStore()?.now() ?? now()
  globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const clock = clocks.getStore()
    if (clock === undefined) return later(run, ms, ...args)
    void clock.sleep(ms).then(() => run(...args))
    return { ref: () => undefined, unref: () => undefined }
  }) as typeof later
  timers.setTimeout = (async (ms = 1, value?: unknown, options?: object) => {
    const clock = clocks.getStore()
    if (clock === undefined) return sleep(ms, value, options)
    await clock.sleep(ms)
    return value
  }) as typeof sleep
  syncBuiltinESMExports()
  return () => {
    Date.now = now
    globalThis.setTimeout = later
    timers.setTimeout = sleep
    syncBuiltinESMExports()
  }
}
