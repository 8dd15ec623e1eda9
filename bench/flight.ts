import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { request } from 'undici'
import { freePort, usage } from './child.ts'
import { ask, submitTo } from './field.ts'
import { constantRate } from './load.ts'
import { number, percentile } from './numbers.ts'
import type { Report } from './report.ts'
import {
  folder,
  type Server,
  startGateway,
  startRedis,
  startStub,
  startWorker,
  upstreamIs,
} from './servers.ts'
import { statusOf } from './status.ts'

const renderMs = 60_000
/** Renders take 51 to 69 s. */
const renderSpread = 0.15
const model = 'veo3-fast-video'
/** What a gateway does without jobs is measured first, and taken off. */
const idleSeconds = 10

export type Flight = {
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

export type Plan = {
  jobs: number
  arriveWithinSeconds?: number
  spread?: number
  roundTripMs?: number
  hooks?: boolean
  workers?: number
}

type Counted = { commands: number; cpuMs: number; redisCpuMs: number; bytes: number }

/** Jobs that render for a minute, from the accept to the stored file, all of them in flight at once. */
export async function flight(
  report: Report,
  sizes: readonly number[] = [1, 100, 500, 1000, 2000, 10_000],
): Promise<void> {
  const small = sizes.filter((jobs) => jobs <= 1000)
  const flights = await Promise.all(small.map((jobs) => fly({ jobs })))
  for (const jobs of sizes.filter((one) => one > 1000)) flights.push(await fly({ jobs }))
  report.section('In flight: jobs that render for 51 to 69 s')
  report.say(
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
    flights.map((one) => [
      number(one.jobs),
      number(one.ended),
      number(percentile(one.lags, 50) / 1000, 2),
      number(percentile(one.lags, 99) / 1000, 2),
      number(one.polls, 1),
      number(one.commands),
      number(one.cpuMs, 2),
      number(one.redisCpuMs, 2),
      `${number(one.busy * 100)} %`,
      `${number(one.busiest * 100)} %`,
      number(one.memoryMb),
      number(one.redisBytes),
      number(one.submitP99, 1),
    ]),
  )
  judge(report, flights)
}

function judge(report: Report, flights: readonly Flight[]): void {
  const most = flights.find(({ jobs }) => jobs === 10_000)
  if (most !== undefined) {
    const lag = percentile(most.lags, 99) / 1000
    report.claim({
      claim:
        '10,000 jobs in flight on one worker: under one core on average, under 10 kB of Redis per job, lag p99 under 10 s, every job ended',
      found: `${number(most.busy * 100)} % of a core, ${number(most.redisBytes / 1000, 1)} kB, ${number(lag, 1)} s, ${number(most.ended)} ended`,
      holds: most.busy < 1 && most.redisBytes < 10_000 && lag < 10 && most.ended === most.jobs,
    })
    report.say(`Idle with ${number(most.jobs)} finished jobs, in a fresh process: ${number(most.idleMb)} MB.`)
  }
  const few = flights.filter(({ jobs }) => [100, 1000, 10_000].includes(jobs))
  const costs = few.map(({ cpuMs, redisCpuMs }) => cpuMs + redisCpuMs)
  if (costs.length < 3) return
  report.claim({
    claim: 'the cost of a job does not grow with the number in flight (100 / 1,000 / 10,000)',
    found: `${costs.map((cost) => number(cost, 1)).join(' / ')} ms of CPU, gateway and Redis; ${few.map(({ commands }) => number(commands)).join(' / ')} Redis commands`,
    holds: (costs[2] ?? 0) <= (costs[0] ?? 0) * 1.15,
  })
}

/**
 * One flight with a Redis and a stub of its own. Without `workers` one process does everything; with them, `ROLE=api` accepts and that
 * many worker processes do the rest. `hooks`: the upstream calls when it is done.
 */
export async function fly({
  jobs,
  arriveWithinSeconds = jobs > 5000 ? 50 : 20,
  spread = renderSpread,
  roundTripMs = 0,
  hooks = false,
  workers = 0,
}: Plan): Promise<Flight> {
  const stub = await startStub({
    RENDER_MS: String(renderMs),
    RENDER_SPREAD: String(spread),
    ROUND_TRIP_MS: String(roundTripMs),
    FILE_BYTES: '32768',
  })
  const server = await startRedis()
  const redis = new Redis(server.url)
  const port = String(await freePort())
  const env = {
    REDIS_URL: server.url,
    DATA_DIR: folder(),
    ...upstreamIs(stub),
    ...(hooks && { PUBLIC_URL: `http://127.0.0.1:${port}` }),
  }
  const api = await startGateway({ ...env, PORT: port, ...(workers > 0 && { ROLE: 'api' }) })
  const others = await Promise.all(Array.from({ length: workers }, () => startWorker(env)))
  const pids = (workers > 0 ? others : [api]).map(({ child }) => child.pid)
  const cpuMs = () => pids.reduce((sum, pid) => sum + usage(pid).cpuMs, 0)
  const count = async (): Promise<Counted> =>
    counted(await redis.info(), cpuMs(), usage(server.child.pid).cpuMs)
  try {
    await sleep(2000)
    const idleFrom = await count()
    await sleep(idleSeconds * 1000)
    const from = await count()
    const idle = (of: 'commands' | 'cpuMs' | 'redisCpuMs') => (from[of] - idleFrom[of]) / idleSeconds
    const startedAt = Date.now()

    const watching = new AbortController()
    const busiest = watchBusiest(cpuMs, watching.signal)
    const sent = await constantRate((index) => submitTo(api, bodyOf(index)), {
      perSecond: jobs / arriveWithinSeconds,
      count: jobs,
      pid: api.child.pid,
    })
    const ids = sent.bodies.map((body) => (JSON.parse(body) as { id: string }).id)
    const peak = await count()
    await untilQuiet(redis, startedAt + arriveWithinSeconds * 1000 + renderMs * (1 + spread) + 60_000)
    watching.abort()
    const to = await count()
    const seconds = (Date.now() - startedAt) / 1000
    // Of a single job nothing is left beside what the idle gateway does.
    const ofAJob = (of: 'commands' | 'cpuMs' | 'redisCpuMs') =>
      jobs < 100 ? Number.NaN : (to[of] - from[of] - idle(of) * seconds) / jobs
    const memoryMb = Math.max(...pids.map((pid) => usage(pid).peakMb))
    const ends = await endsOf(api, stub, ids)
    await Promise.all([api, ...others].map(({ child }) => child.stop()))
    return {
      jobs,
      lags: ends.lags,
      ended: ends.lags.length,
      polls: ends.polls.length / jobs,
      closestPollsMs: Math.min(...ends.gaps),
      submissions: ends.tasks / jobs,
      commands: ofAJob('commands'),
      cpuMs: ofAJob('cpuMs'),
      redisCpuMs: ofAJob('redisCpuMs'),
      busy: (to.cpuMs - from.cpuMs) / (seconds * 1000),
      busiest: await busiest,
      memoryMb,
      redisBytes: (peak.bytes - from.bytes) / jobs,
      submitP99: sent.p99,
      idleMb: jobs >= 10_000 ? await idleMemory(env) : Number.NaN,
    }
  } finally {
    redis.disconnect()
    await Promise.all([api, ...others, stub, server].map(({ child }) => child.stop('SIGKILL')))
  }
}

function bodyOf(index: number): string {
  return JSON.stringify({ model, prompt: `job ${index}`, duration: 8 })
}

function counted(told: string, cpuMs: number, redisCpuMs: number): Counted {
  const read = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(told)?.[1])
  return { commands: read('total_commands_processed'), cpuMs, redisCpuMs, bytes: read('used_memory') }
}

async function watchBusiest(cpuMs: () => number, signal: AbortSignal): Promise<number> {
  let most = 0
  let before = cpuMs()
  let at = Date.now()
  while (!signal.aborted) {
    await sleep(5000, undefined, { signal }).catch(() => undefined)
    const elapsed = Date.now() - at
    if (elapsed < 2000) break
    const now = cpuMs()
    most = Math.max(most, (now - before) / elapsed)
    before = now
    at = Date.now()
  }
  return most
}

/** No job is open any more. */
async function untilQuiet(redis: Redis, giveUpAt: number): Promise<void> {
  while ((await redis.zcard('reelgate:open')) > 0 && Date.now() < giveUpAt) await sleep(200)
}

async function endsOf(gateway: Server, stub: Server, ids: readonly string[]) {
  const told = await request(`${stub.url}/stub?tasks`)
  const { tasks, seen } = (await told.body.json()) as {
    tasks: Record<string, { doneAt: number; polls: number[] }>
    seen: { submits: number }
  }
  const bodies: string[] = []
  const left = ids.keys()
  const reader = async () => {
    for (const index of left) bodies[index] = (await ask(statusOf(gateway, ids[index] ?? ''))).text
  }
  await Promise.all(Array.from({ length: 16 }, reader))
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
    gaps: polls.flatMap((times) => times.slice(1).map((at, index) => at - (times[index] ?? 0))),
  }
}

async function idleMemory(env: Record<string, string>): Promise<number> {
  const gateway = await startGateway(env)
  await sleep(5000)
  const { rssMb } = usage(gateway.child.pid)
  await gateway.child.stop()
  return rssMb
}
