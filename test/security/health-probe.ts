import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

/** Runs as a worker thread: polls the health of the gateway and measures its memory. */
const { address, pid } = workerData as { address: string; pid: number }
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let longestWaitMs = 0
let peakKb = 0
let count = 0

function memoryKb(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
}

function probe(): void {
  const startedAt = performance.now()
  const request = get(`${address}/health`, { agent }, (reply) => {
    reply.resume()
    reply.once('end', () => {
      longestWaitMs = Math.max(longestWaitMs, performance.now() - startedAt)
      peakKb = Math.max(peakKb, memoryKb())
      count += 1
      setTimeout(probe, 5)
    })
  })
  request.once('error', () => setTimeout(probe, 5))
}

/** Every message is answered with what has been seen since the last one. */
parentPort?.on('message', () => {
  parentPort?.postMessage({
    longestWaitMs: Math.round(longestWaitMs),
    peakMb: Math.round(peakKb / 1024),
    count,
  })
  longestWaitMs = 0
  peakKb = memoryKb()
  count = 0
})
probe()
