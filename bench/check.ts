import { stopAll } from './child.ts'
import { submitTo } from './field.ts'
import { closedLoop, type Shot } from './load.ts'
import { interleaved, number } from './numbers.ts'
import { type Server, startGateway, startRedis, startRoute, startStub, upstreamIs } from './servers.ts'
import { finished, statusOf } from './status.ts'

/** A bare route's CPU time as a share of ours. Half of what is usual: a slow or busy machine passes, a regression by half does not. */
const least = { submit: 0.14, status: 0.15 }
const warmUpSeconds = 5

/** For CI: ratios only, no peers, under a minute. A regression falls short twice, a busy moment once. */
export async function check(): Promise<boolean> {
  return (await hold()) || (await hold())
}

async function hold(): Promise<boolean> {
  const stub = await startStub()
  const route = await startRoute()
  const redis = await startRedis()
  const env = { REDIS_URL: redis.url, POLL_MAX_MS: '50', ...upstreamIs(stub) }
  const whole = await startGateway(env)
  const id = await finished(whole)
  const api = await startGateway({ ...env, ROLE: 'api', REDIS_PREFIX: 'api:' })
  const bareSubmit = { ...submitTo(route), url: `${route.url}/submit` }
  const bareStatus: Shot = { method: 'GET', url: `${route.url}/status` }
  const run =
    (server: Server, shot: Shot) =>
    (seconds = 1.2) =>
      closedLoop(shot, { connections: 16, seconds, pid: server.child.pid })
  const contestants = {
    submit: run(api, submitTo(api)),
    status: run(whole, statusOf(whole, id)),
    bareSubmit: run(route, bareSubmit),
    bareStatus: run(route, bareStatus),
  }
  await contestants.submit(warmUpSeconds)
  await contestants.status(warmUpSeconds)
  const results = await interleaved(contestants, 4)
  const failed = Object.values(results)
    .flat()
    .some((one) => one.failed > 0)
  const cost = (name: string) => Math.min(...(results[name] ?? []).map(({ cpuUs }) => cpuUs))
  const found = { submit: cost('bareSubmit') / cost('submit'), status: cost('bareStatus') / cost('status') }
  for (const name of ['submit', 'status'] as const) {
    process.stdout.write(
      `${name}: a bare route needs ${number(found[name] * 100)} % of its CPU time; at least ${number(least[name] * 100)} % must be: ${found[name] >= least[name] ? 'holds' : 'REGRESSION'}\n`,
    )
  }
  if (failed) process.stdout.write('some requests failed\n')
  await stopAll()
  return !failed && found.submit >= least.submit && found.status >= least.status
}
