/**
 * To be preloaded with `--import`: the clock of the process is off by CLOCK_OFFSET_MS, from the start, or from the first SIGWINCH on where
 * CLOCK_JUMPS is set. Timers and other processes are not affected.
 */
const { CLOCK_OFFSET_MS = '0', CLOCK_JUMPS } = process.env
const trueNow = Date.now
let offsetMs = CLOCK_JUMPS === undefined ? Number(CLOCK_OFFSET_MS) : 0

process.on('SIGWINCH', () => {
  offsetMs = Number(CLOCK_OFFSET_MS)
})

const now = () => trueNow() + offsetMs

globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new Date(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})
