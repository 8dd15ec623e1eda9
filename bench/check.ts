import { Redis } from 'ioredis'
import { submitTo } from './field.ts'
import { closedLoop } from './load.ts'
import { interleaved, median, number } from './numbers.ts'
import { startGateway, startRedis, startRoute, startStub, upstreamIs } from './servers.ts'
import { finished, statusOf } from './status.ts'

/** Shares of a bare route's requests a second. Half of what is usual: a slow machine passes, a regression by half does not. */
const least = { submit: 0.15, status: 0.2 }

/** For CI: ratios only, no peers, under a minute. Answers whether all hold. */
export async function check(): Promise<boolean> {
  const stub = await startStub()
  const route = await startRoute()
  const redis = await startRedis()
  const commands = new Redis(redis.url)
  const env = { REDIS_URL: redis.url, POLL_MAX_MS: '50', ...upstreamIs(stub) }
  const whole = await startGateway(env)
  const id = await finished(whole)
  const api = await startGateway({ ...env, ROLE: 'api', REDIS_PREFIX: 'api:' })
  const loop = { connections: 16, seconds: 2 }
  const results = await interleaved(
    {
      submit: () => closedLoop(submitTo(api), { ...loop, pid: api.child.pid }),
      bareSubmit: () =>
        closedLoop({ ...submitTo(route), url: `${route.url}/submit` }, { ...loop, pid: route.child.pid }),
      status: () => closedLoop(statusOf(whole, id), { ...loop, pid: whole.child.pid }),
      bareStatus: () =>
        closedLoop({ method: 'GET', url: `${route.url}/status` }, { ...loop, pid: route.child.pid }),
    },
    4,
  )
  commands.disconnect()
  const best = (name: string) => (results[name] ?? []).slice(1)
  const failed = Object.values(results)
    .flat()
    .some((run) => run.failed > 0)
  const share = (name: string, bare: string) =>
    median(best(name).map((run, index) => run.perSecond / (best(bare)[index]?.perSecond ?? Number.NaN)))
  const found = { submit: share('submit', 'bareSubmit'), status: share('status', 'bareStatus') }
  for (const name of ['submit', 'status'] as const) {
    process.stdout.write(
      `${name}: ${number(found[name] * 100)} % of a bare route; at least ${least[name] * 100} % must be: ${found[name] >= least[name] ? 'holds' : 'REGRESSION'}\n`,
    )
  }
  if (failed) process.stdout.write('some requests failed\n')
  return !failed && found.submit >= least.submit && found.status >= least.status
}
