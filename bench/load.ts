import { once } from 'node:events'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { Pool } from 'undici'
import { usage } from './child.ts'
import { percentile } from './numbers.ts'

export type Shot = {
  method: 'GET' | 'POST'
  url: string
  /** Asked in turn instead of the one that `url` names. */
  paths?: readonly string[]
  headers?: Record<string, string>
  body?: string
}

export type Measured = {
  perSecond: number
  p50: number
  p99: number
  /** CPU time of the server itself for one request. */
  cpuUs: number
  failed: number
}

type Run = {
  connections: number
  seconds: number
  /** Of the server. */
  pid: number
  /** Takes away what the server would go on with. */
  afterwards?: () => Promise<unknown>
}

/** Does not count: while a server waited for its turn, its core's caches and its memory have gone to others. */
export const leadInSeconds = 2

/** Two answers of an upstream that takes two seconds. */
export const runSeconds = 4.2

/** Closed loop: each connection asks again as soon as it is answered. In this process, where V8 has compiled the load by the second run. */
export async function closedLoop(
  { method, url, paths, headers = {}, body }: Shot,
  { connections, seconds, pid, afterwards }: Run,
): Promise<Measured> {
  const load = {
    url,
    method,
    headers,
    ...(body !== undefined && { body }),
    ...(paths !== undefined && { requests: paths.map((path) => ({ path })) }),
    connections,
    timeout: 30,
  }
  await autocannon({ ...load, duration: leadInSeconds })
  const before = usage(pid).cpuMs
  const { requests, latency, duration, non2xx, errors } = await autocannon({ ...load, duration: seconds })
  const after = usage(pid).cpuMs
  await afterwards?.()
  await untilQuiet(pid)
  return {
    perSecond: requests.total / duration,
    p50: latency.p50,
    p99: latency.p99,
    cpuUs: ((after - before) * 1000) / Math.max(requests.total, 1),
    failed: non2xx + errors,
  }
}

const longestUnrestMs = 10_000

/** What a server still does when nobody waits for it any more is not to slow the next one down. */
async function untilQuiet(pid: number): Promise<void> {
  const until = performance.now() + longestUnrestMs
  for (let before = 0, after = usage(pid).cpuMs; after - before > 20 && performance.now() < until; ) {
    await sleep(100)
    before = after
    after = usage(pid).cpuMs
  }
}

/** As many at once as this may be unanswered; what comes on top counts as failed. */
const mostUnderWay = 2000

/** Constant rate, whatever the server does. Latency counts from when a request was due, not from when it could be sent. */
export async function constantRate(
  shotOf: (index: number) => Shot,
  { perSecond, count, pid }: { perSecond: number; count: number; pid: number },
): Promise<Measured & { bodies: string[] }> {
  const pool = new Pool(new URL(shotOf(0).url).origin, { connections: 32, pipelining: 1 })
  const took: number[] = []
  const bodies: string[] = []
  let failed = 0
  let underWay = 0
  const before = usage(pid).cpuMs
  const startedAt = performance.now()
  const all: Promise<void>[] = []

  async function ask(index: number, dueAt: number): Promise<void> {
    const { method, url, headers = {}, body } = shotOf(index)
    try {
      const answer = await pool.request({
        method,
        path: new URL(url).pathname + new URL(url).search,
        headers,
        body: body ?? null,
      })
      const text = await answer.body.text()
      took.push(performance.now() - dueAt)
      if (answer.statusCode >= 300) failed += 1
      else bodies[index] = text
    } catch {
      failed += 1
    } finally {
      underWay -= 1
    }
  }

  for (let index = 0; index < count; index++) {
    const dueAt = startedAt + (index * 1000) / perSecond
    const early = dueAt - performance.now()
    if (early > 0) await sleep(early)
    if (underWay >= mostUnderWay) {
      failed += 1
      continue
    }
    underWay += 1
    all.push(ask(index, dueAt))
  }
  await Promise.all(all)
  const seconds = (performance.now() - startedAt) / 1000
  await pool.close()
  return {
    perSecond: took.length / seconds,
    p50: percentile(took, 50),
    p99: percentile(took, 99),
    cpuUs: ((usage(pid).cpuMs - before) * 1000) / Math.max(took.length, 1),
    failed,
    bodies,
  }
}

/** Downloads again and again on a few connections and throws away what it reads, as cheaply as Node can. Answers bytes per second. */
export async function downloads(
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
  const head = `GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`
  const until = performance.now() + seconds * 1000
  const startedAt = performance.now()
  let bytes = 0
  let files = 0
  let failed = 0

  async function fetchOnce(buffer: Buffer): Promise<void> {
    let first = true
    let good = false
    const onread = {
      buffer,
      callback(length: number): boolean {
        if (first) good = buffer.toString('latin1', 0, 12) === 'HTTP/1.1 200'
        first = false
        bytes += length
        return true
      },
    }
    const socket = connect({ host: hostname, port: Number(port), onread })
    socket.write(head)
    await once(socket, 'close')
    if (good) files += 1
    else failed += 1
  }

  async function loop(): Promise<void> {
    const buffer = Buffer.alloc(256 * 1024)
    while (performance.now() < until) await fetchOnce(buffer)
  }

  await Promise.all(Array.from({ length: connections }, loop))
  return { bytesPerSecond: (bytes * 1000) / (performance.now() - startedAt), files, failed }
}
