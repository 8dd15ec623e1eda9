import { once } from 'node:events'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { Pool } from 'undici'
import { usage } from './child.ts'
import { percentile } from './statistics.ts'

export type RequestSpec = {
  method: 'GET' | 'POST'
  url: string
  /** Requested in turn instead of `url`. */
  paths?: readonly string[]
  headers?: Record<string, string>
  body?: string
}

export type LoadResult = {
  perSecond: number
  p50: number
  p99: number
  /** CPU time of the server itself for one request. */
  cpuUs: number
  failed: number
}

type LoadOptions = {
  connections: number
  seconds: number
  /** Of the server. */
  pid: number
  /** Takes away what the server would go on with. */
  cleanUp?: () => Promise<unknown>
}

/** Does not count: while a server waited for its turn, its core's caches and its memory have gone to others. */
export const warmUpRunSeconds = 2

/** Two answers of an upstream that takes two seconds. */
export const runSeconds = 4.2

/** Closed loop: each connection asks again as soon as it is answered. In this process, where V8 has compiled the load by the second run. */
export async function closedLoop(
  { method, url, paths, headers = {}, body }: RequestSpec,
  { connections, seconds, pid, cleanUp }: LoadOptions,
): Promise<LoadResult> {
  const load = {
    url,
    method,
    headers,
    ...(body !== undefined && { body }),
    ...(paths !== undefined && { requests: paths.map((path) => ({ path })) }),
    connections,
    timeout: 30,
  }
  await autocannon({ ...load, duration: warmUpRunSeconds })
  const cpuMsBefore = usage(pid).cpuMs
  const { requests, latency, duration, non2xx, errors } = await autocannon({ ...load, duration: seconds })
  const cpuMsAfter = usage(pid).cpuMs
  await cleanUp?.()
  await waitForIdleCpu(pid)
  return {
    perSecond: requests.total / duration,
    p50: latency.p50,
    p99: latency.p99,
    cpuUs: ((cpuMsAfter - cpuMsBefore) * 1000) / Math.max(requests.total, 1),
    failed: non2xx + errors,
  }
}

const maxSettleMs = 10_000

/** What a server still does when nobody waits for it any more is not to slow the next one down. */
async function waitForIdleCpu(pid: number): Promise<void> {
  const until = performance.now() + maxSettleMs
  for (let before = 0, after = usage(pid).cpuMs; after - before > 20 && performance.now() < until; ) {
    await sleep(100)
    before = after
    after = usage(pid).cpuMs
  }
}

/** As many at once as this may be unanswered; what comes on top counts as failed. */
const maxOutstanding = 2000

/** Constant rate, whatever the server does. Latency counts from when a request was due, not from when it could be sent. */
export async function constantRate(
  createSpec: (index: number) => RequestSpec,
  { perSecond, count, pid }: { perSecond: number; count: number; pid: number },
): Promise<LoadResult & { bodies: string[] }> {
  const pool = new Pool(new URL(createSpec(0).url).origin, { connections: 32, pipelining: 1 })
  const latenciesMs: number[] = []
  const bodies: string[] = []
  let failed = 0
  let outstanding = 0
  const cpuMsBefore = usage(pid).cpuMs
  const startedAt = performance.now()
  const pending: Promise<void>[] = []

  async function sendRequest(index: number, dueAt: number): Promise<void> {
    const { method, url, headers = {}, body } = createSpec(index)
    try {
      const response = await pool.request({
        method,
        path: new URL(url).pathname + new URL(url).search,
        headers,
        body: body ?? null,
      })
      const text = await response.body.text()
      latenciesMs.push(performance.now() - dueAt)
      if (response.statusCode >= 300) failed += 1
      else bodies[index] = text
    } catch {
      failed += 1
    } finally {
      outstanding -= 1
    }
  }

  for (let index = 0; index < count; index++) {
    const dueAt = startedAt + (index * 1000) / perSecond
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    if (outstanding >= maxOutstanding) {
      failed += 1
      continue
    }
    outstanding += 1
    pending.push(sendRequest(index, dueAt))
  }
  await Promise.all(pending)
  const seconds = (performance.now() - startedAt) / 1000
  await pool.close()
  return {
    perSecond: latenciesMs.length / seconds,
    p50: percentile(latenciesMs, 50),
    p99: percentile(latenciesMs, 99),
    cpuUs: ((usage(pid).cpuMs - cpuMsBefore) * 1000) / Math.max(latenciesMs.length, 1),
    failed,
    bodies,
  }
}

/** Downloads again and again on a few connections and throws away what it reads, as cheaply as Node can. Answers bytes per second. */
export async function measureDownloads(
  url: string,
  {
    connections,
    seconds,
    headers = {},
  }: { connections: number; seconds: number; headers?: Record<string, string> },
): Promise<{ bytesPerSecond: number; files: number; failed: number }> {
  const { hostname, port, pathname, search, host } = new URL(url)
  const lines = Object.entries({ host, connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  const requestHead = `GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`
  const until = performance.now() + seconds * 1000
  const startedAt = performance.now()
  let receivedBytes = 0
  let files = 0
  let failed = 0

  async function fetchOnce(buffer: Buffer): Promise<void> {
    let isFirstChunk = true
    let isOk = false
    const onread = {
      buffer,
      callback(length: number): boolean {
        if (isFirstChunk) isOk = buffer.toString('latin1', 0, 12) === 'HTTP/1.1 200'
        isFirstChunk = false
        receivedBytes += length
        return true
      },
    }
    const socket = connect({ host: hostname, port: Number(port), onread })
    socket.write(requestHead)
    await once(socket, 'close')
    if (isOk) files += 1
    else failed += 1
  }

  async function downloadRepeatedly(): Promise<void> {
    const buffer = Buffer.alloc(256 * 1024)
    while (performance.now() < until) await fetchOnce(buffer)
  }

  await Promise.all(Array.from({ length: connections }, downloadRepeatedly))
  return { bytesPerSecond: (receivedBytes * 1000) / (performance.now() - startedAt), files, failed }
}
