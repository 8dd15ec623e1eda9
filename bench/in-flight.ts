import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { request } from 'undici'
import { freePort, usage } from './child.ts'
import { constantRate } from './load.ts'
import type { Report } from './report.ts'
import {
  createFolder,
  type Server,
  startGateway,
  startRedis,
  startStub,
  startWorker,
  upstreamSettings,
} from './servers.ts'
import { formatNumber, percentile } from './statistics.ts'
import { createStatusSpec } from './status.ts'
import { createSubmit, sendRequest } from './testbed.ts'

const renderMs = 60_000
/** Renders take 51 to 69 s. */
const renderSpread = 0.15
const model = 'veo3-fast-video'
/** What a gateway does without jobs is measured first, and taken off. */
const idleSeconds = 10

export type InFlightResult = {
  jobs: number
  lags: number[]
  ended: number
  polls: number
  /** The shortest time between two polls of one job. */
  closestPollsMs: number
  /** Tasks that the upstream holds, for each job. */
  submissions: number
  /** Redis commands per job, those inside scripts counted, beyond what an idle gateway sends. */
  commands: number
  cpuMs: number
  redisCpuMs: number
  /** Share of a core over the whole run, and in the busiest 5 s. */
  busy: number
  busiest: number
  memoryMb: number
  redisBytes: number
  submitP99: number
  idleMb: number
}

export type InFlightPlan = {
  jobs: number
  arriveWithinSeconds?: number
  spread?: number
  roundTripMs?: number
  useCallbacks?: boolean
  workers?: number
}

type Counters = { commands: number; cpuMs: number; redisCpuMs: number; bytes: number }

/** Jobs that render for a minute, from the accept to the stored file, all of them in flight at once. */
export async function measureInFlight(
  report: Report,
  sizes: readonly number[] = [1, 100, 500, 1000, 2000, 10_000],
): Promise<void> {
  const smallSizes = sizes.filter((jobs) => jobs <= 1000)
  const results = await Promise.all(smallSizes.map((jobs) => runInFlight({ jobs })))
  for (const jobs of sizes.filter((size) => size > 1000)) results.push(await runInFlight({ jobs }))
  report.section('In flight: jobs that render for 51 to 69 s')
  report.write(
    `One process accepts, purchases, polls and delivers on one core; all jobs arrive within 20 s (10,000: 50 s). Sizes up to 1,000 run in parallel, each with its own gateway, Redis and stub. Lag: from the end of the render to \`succeeded\`, file stored.`,
  )
  report.table(
    [
      'jobs',
      'ended',
      'lag p50 s',
      'lag p99 s',
      'polls per job',
      'Redis commands per job',
      'CPU ms per job',
      'Redis CPU ms per job',
      'core on average',
      'busiest 5 s',
      'memory MB',
      'Redis bytes per job',
      'submit p99 ms',
    ],
    results.map((result) => [
      formatNumber(result.jobs),
      formatNumber(result.ended),
      formatNumber(percentile(result.lags, 50) / 1000, 2),
      formatNumber(percentile(result.lags, 99) / 1000, 2),
      formatNumber(result.polls, 1),
      formatNumber(result.commands),
      formatNumber(result.cpuMs, 2),
      formatNumber(result.redisCpuMs, 2),
      `${formatNumber(result.busy * 100)} %`,
      `${formatNumber(result.busiest * 100)} %`,
      formatNumber(result.memoryMb),
      formatNumber(result.redisBytes),
      formatNumber(result.submitP99, 1),
    ]),
  )
  claimInFlight(report, results)
}

function claimInFlight(report: Report, results: readonly InFlightResult[]): void {
  const largest = results.find(({ jobs }) => jobs === 10_000)
  if (largest !== undefined) {
    const lag = percentile(largest.lags, 99) / 1000
    report.claim({
      claim:
        '10,000 jobs in flight on one worker: under one core on average, under 10 kB of Redis per job, lag p99 under 10 s, every job ended',
      result: `${formatNumber(largest.busy * 100)} % of a core, ${formatNumber(largest.redisBytes / 1000, 1)} kB, ${formatNumber(lag, 1)} s, ${formatNumber(largest.ended)} ended`,
      isMet: largest.busy < 1 && largest.redisBytes < 10_000 && lag < 10 && largest.ended === largest.jobs,
    })
    report.write(
      `Idle with ${formatNumber(largest.jobs)} finished jobs, in a fresh process: ${formatNumber(largest.idleMb)} MB.`,
    )
  }
  const comparedResults = results.filter(({ jobs }) => [100, 1000, 10_000].includes(jobs))
  const costs = comparedResults.map(({ cpuMs, redisCpuMs }) => cpuMs + redisCpuMs)
  if (costs.length < 3) return
  report.claim({
    claim: 'the cost of a job does not grow with the number in flight (100 / 1,000 / 10,000)',
    result: `${costs.map((cost) => formatNumber(cost, 1)).join(' / ')} ms of CPU, gateway and Redis; ${comparedResults.map(({ commands }) => formatNumber(commands)).join(' / ')} Redis commands`,
    isMet: (costs[2] ?? 0) <= (costs[0] ?? 0) * 1.15,
  })
}

/**
 * One flight with a Redis and a stub of its own. Without `workers` one process does everything; with them, `ROLE=api` accepts and that
 * many worker processes do the rest. `hooks`: the upstream calls when it is done.
 */
export async function runInFlight({
  jobs,
  arriveWithinSeconds = jobs > 5000 ? 50 : 20,
  spread = renderSpread,
  roundTripMs = 0,
  useCallbacks = false,
  workers = 0,
}: InFlightPlan): Promise<InFlightResult> {
  const stub = await startStub({
    RENDER_MS: String(renderMs),
    RENDER_SPREAD: String(spread),
    ROUND_TRIP_MS: String(roundTripMs),
    FILE_BYTES: '32768',
  })
  const redisServer = await startRedis()
  const redis = new Redis(redisServer.url)
  const port = String(await freePort())
  const env = {
    REDIS_URL: redisServer.url,
    DATA_DIR: createFolder(),
    ...upstreamSettings(stub),
    ...(useCallbacks && { PUBLIC_URL: `http://127.0.0.1:${port}` }),
  }
  const api = await startGateway({ ...env, PORT: port, ...(workers > 0 && { ROLE: 'api' }) })
  const workerServers = await Promise.all(Array.from({ length: workers }, () => startWorker(env)))
  const pids = (workers > 0 ? workerServers : [api]).map(({ child }) => child.pid)
  const cpuMs = () => pids.reduce((sum, pid) => sum + usage(pid).cpuMs, 0)
  const readCounters = async (): Promise<Counters> =>
    parseCounters(await redis.info(), cpuMs(), usage(redisServer.child.pid).cpuMs)
  try {
    await sleep(2000)
    const idleCounters = await readCounters()
    await sleep(idleSeconds * 1000)
    const countersBefore = await readCounters()
    const idlePerSecond = (counter: 'commands' | 'cpuMs' | 'redisCpuMs') =>
      (countersBefore[counter] - idleCounters[counter]) / idleSeconds
    const startedAt = Date.now()

    const watchAbort = new AbortController()
    const busiest = watchBusiest(cpuMs, watchAbort.signal)
    const submits = await constantRate((index) => createSubmit(api, createBody(index)), {
      perSecond: jobs / arriveWithinSeconds,
      count: jobs,
      pid: api.child.pid,
    })
    const ids = submits.bodies.map((body) => (JSON.parse(body) as { id: string }).id)
    const peakCounters = await readCounters()
    await waitForIdle(redis, startedAt + arriveWithinSeconds * 1000 + renderMs * (1 + spread) + 60_000)
    watchAbort.abort()
    const countersAfter = await readCounters()
    const seconds = (Date.now() - startedAt) / 1000
    // Of a single job nothing is left beside what the idle gateway does.
    const perJob = (counter: 'commands' | 'cpuMs' | 'redisCpuMs') =>
      jobs < 100
        ? Number.NaN
        : (countersAfter[counter] - countersBefore[counter] - idlePerSecond(counter) * seconds) / jobs
    const memoryMb = Math.max(...pids.map((pid) => usage(pid).peakMb))
    const outcomes = await readOutcomes(api, stub, ids)
    await Promise.all([api, ...workerServers].map(({ child }) => child.stop()))
    return {
      jobs,
      lags: outcomes.lags,
      ended: outcomes.lags.length,
      polls: outcomes.polls.length / jobs,
      closestPollsMs: Math.min(...outcomes.pollGapsMs),
      submissions: outcomes.tasks / jobs,
      commands: perJob('commands'),
      cpuMs: perJob('cpuMs'),
      redisCpuMs: perJob('redisCpuMs'),
      busy: (countersAfter.cpuMs - countersBefore.cpuMs) / (seconds * 1000),
      busiest: await busiest,
      memoryMb,
      redisBytes: (peakCounters.bytes - countersBefore.bytes) / jobs,
      submitP99: submits.p99,
      idleMb: jobs >= 10_000 ? await idleMemory(env) : Number.NaN,
    }
  } finally {
    redis.disconnect()
    await Promise.all([api, ...workerServers, stub, redisServer].map(({ child }) => child.stop('SIGKILL')))
  }
}

function createBody(index: number): string {
  return JSON.stringify({ model, prompt: `job ${index}`, duration: 8 })
}

function parseCounters(info: string, cpuMs: number, redisCpuMs: number): Counters {
  const readNumber = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  return {
    commands: readNumber('total_commands_processed'),
    cpuMs,
    redisCpuMs,
    bytes: readNumber('used_memory'),
  }
}

async function watchBusiest(cpuMs: () => number, signal: AbortSignal): Promise<number> {
  let busiest = 0
  let cpuBefore = cpuMs()
  let sampledAt = Date.now()
  while (!signal.aborted) {
    await sleep(5000, undefined, { signal }).catch(() => undefined)
    const elapsed = Date.now() - sampledAt
    if (elapsed < 2000) break
    const cpuNow = cpuMs()
    busiest = Math.max(busiest, (cpuNow - cpuBefore) / elapsed)
    cpuBefore = cpuNow
    sampledAt = Date.now()
  }
  return busiest
}

/** No job is open any more. */
async function waitForIdle(redis: Redis, giveUpAt: number): Promise<void> {
  while ((await redis.zcard('reelgate:open')) > 0 && Date.now() < giveUpAt) await sleep(200)
}

async function readOutcomes(gateway: Server, stub: Server, ids: readonly string[]) {
  const response = await request(`${stub.url}/stub?tasks`)
  const { tasks, seen } = (await response.body.json()) as {
    tasks: Record<string, { doneAt: number; polls: number[] }>
    seen: { submits: number }
  }
  const bodies: string[] = []
  const remainingIndexes = ids.keys()
  const readStatuses = async () => {
    for (const index of remainingIndexes)
      bodies[index] = (await sendRequest(createStatusSpec(gateway, ids[index] ?? ''))).text
  }
  await Promise.all(Array.from({ length: 16 }, readStatuses))
  const lags = bodies.flatMap((body, index) => {
    const { stage, completedAt } = JSON.parse(body) as { stage: string; completedAt: string | null }
    const task = tasks[`job ${index}`]
    return stage === 'succeeded' && completedAt !== null && task !== undefined
      ? [Date.parse(completedAt) - task.doneAt]
      : []
  })
  const polls = Object.values(tasks).map((task) => task.polls)
  return {
    lags,
    tasks: seen.submits,
    polls: polls.flat(),
    pollGapsMs: polls.flatMap((times) =>
      times.slice(1).map((polledAt, index) => polledAt - (times[index] ?? 0)),
    ),
  }
}

async function idleMemory(env: Record<string, string>): Promise<number> {
  const gateway = await startGateway(env)
  await sleep(5000)
  const { rssMb } = usage(gateway.child.pid)
  await gateway.child.stop()
  return rssMb
}
