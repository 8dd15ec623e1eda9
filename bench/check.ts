import { stopAll } from './child.ts'
import { closedLoop, type RequestSpec } from './load.ts'
import {
  type Server,
  startBareRoute,
  startGateway,
  startRedis,
  startStub,
  upstreamSettings,
} from './servers.ts'
import { formatNumber, runInterleaved } from './statistics.ts'
import { createStatusSpec, runJob } from './status.ts'
import { createSubmit } from './testbed.ts'

/** A bare route's CPU time as a share of ours. Half of the normal value: a slow or busy machine passes, a regression by half does not. */
const minShares = { submit: 0.14, status: 0.15 }
const warmUpSeconds = 5

/** For CI: ratios only, no peers, under a minute. A regression falls short twice, a busy moment once. */
export async function checkRegressions(): Promise<boolean> {
  return (await sharesHold()) || (await sharesHold())
}

async function sharesHold(): Promise<boolean> {
  const stub = await startStub()
  const route = await startBareRoute()
  const redis = await startRedis()
  const env = { REDIS_URL: redis.url, POLL_MAX_MS: '50', ...upstreamSettings(stub) }
  const gateway = await startGateway(env)
  const id = await runJob(gateway)
  const api = await startGateway({ ...env, ROLE: 'api', REDIS_PREFIX: 'api:' })
  const bareSubmit = { ...createSubmit(route), url: `${route.url}/submit` }
  const bareStatus: RequestSpec = { method: 'GET', url: `${route.url}/status` }
  const createRun =
    (server: Server, spec: RequestSpec) =>
    (seconds = 1.2) =>
      closedLoop(spec, { connections: 16, seconds, pid: server.child.pid })
  const contestants = {
    submit: createRun(api, createSubmit(api)),
    status: createRun(gateway, createStatusSpec(gateway, id)),
    bareSubmit: createRun(route, bareSubmit),
    bareStatus: createRun(route, bareStatus),
  }
  await contestants.submit(warmUpSeconds)
  await contestants.status(warmUpSeconds)
  const results = await runInterleaved(contestants, 4)
  const failed = Object.values(results)
    .flat()
    .some((result) => result.failed > 0)
  const minCpuUs = (name: string) => Math.min(...(results[name] ?? []).map(({ cpuUs }) => cpuUs))
  const shares = {
    submit: minCpuUs('bareSubmit') / minCpuUs('submit'),
    status: minCpuUs('bareStatus') / minCpuUs('status'),
  }
  for (const name of ['submit', 'status'] as const) {
    process.stdout.write(
      `${name}: a bare route needs ${formatNumber(shares[name] * 100)} % of its CPU time; at least ${formatNumber(minShares[name] * 100)} % must be: ${shares[name] >= minShares[name] ? 'holds' : 'REGRESSION'}\n`,
    )
  }
  if (failed) process.stdout.write('some requests failed\n')
  await stopAll()
  return !failed && shares.submit >= minShares.submit && shares.status >= minShares.status
}
