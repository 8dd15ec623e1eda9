import { isMainThread } from 'node:worker_threads'

/**
 * Preloaded with `--import`: measures the turns of the event loop. On SIGWINCH the process prints the longest one since the last signal. A turn is
 * measured in CPU time of its thread, which other processes of the machine do not use up.
 */
let usedMs = cpuMs()
let longestMs = 0

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function measure(): void {
  const nowMs = cpuMs()
  longestMs = Math.max(longestMs, nowMs - usedMs)
  usedMs = nowMs
  setTimeout(measure, 1).unref()
}

if (isMainThread) {
  setTimeout(measure, 1).unref()
  process.on('SIGWINCH', () => {
    process.stdout.write(`longest turn ${Math.round(longestMs)} ms\n`)
    longestMs = 0
  })
}
