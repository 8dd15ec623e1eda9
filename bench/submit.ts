import { submitBody } from './bodies.ts'
import { closedLoop, constantRate, type LoadResult, type RequestSpec, runSeconds } from './load.ts'
import { type Report, reportRuns } from './report.ts'
import type { Server } from './servers.ts'
import { formatNumber, formatSpread, median, runInterleaved } from './statistics.ts'
import { warmUpSeconds } from './status.ts'
import { createSubmit, type Testbed } from './testbed.ts'

const rounds = 3
const constantPerSecond = 200

type SubmitRuns = Record<string, () => Promise<LoadResult>>

const apiOnlyName = 'Reelgate, API process'
const wholeName = 'Reelgate, all in one process'
const bareRouteName = 'bare Fastify route'

/** A small JSON submit: how many a second, how late, at which cost. */
export async function measureSubmit(report: Report, testbed: Testbed): Promise<void> {
  const api = await testbed.gateway({ ROLE: 'api' })
  const wholeGateway = await testbed.gateway({ REDIS_PREFIX: 'all:' })
  const results = new Map<string, Record<string, LoadResult[]>>()

  /** What a gateway has accepted is gone afterwards, so that its worker does not buy while others are measured. */
  async function runClosedLoop(
    server: Server,
    spec: RequestSpec,
    connections: number,
    seconds: number,
  ): Promise<LoadResult> {
    const cleanUp = () => testbed.commands.flushall()
    return closedLoop(spec, { connections, seconds, pid: server.child.pid, cleanUp })
  }

  function createRuns(connections: number, seconds: number, includeAllPeers: boolean): SubmitRuns {
    const peers = testbed.others.filter(({ name }) => includeAllPeers || name === 'Portkey')
    const bareRouteSpec = { ...createSubmit(testbed.route), url: `${testbed.route.url}/submit` }
    return {
      [apiOnlyName]: () => runClosedLoop(api, createSubmit(api), connections, seconds),
      [wholeName]: () => runClosedLoop(wholeGateway, createSubmit(wholeGateway), connections, seconds),
      ...Object.fromEntries(
        peers.map(({ name, server, submit: spec }) => [
          name,
          () => runClosedLoop(server, spec, connections, seconds),
        ]),
      ),
      ...(includeAllPeers && {
        [bareRouteName]: () => runClosedLoop(testbed.route, bareRouteSpec, connections, seconds),
      }),
    }
  }

  await runInterleaved(createRuns(32, warmUpSeconds, true), 1)
  for (const delayMs of [0, 200, 2000]) {
    await testbed.configureStub({ delayMs, renderMs: 600_000 })
    for (const connections of [1, 16, 64]) {
      const contestants = createRuns(connections, runSeconds, delayMs === 0)
      results.set(`${delayMs} ${connections}`, await runInterleaved(contestants, rounds))
    }
  }
  report.section('Submit, closed loop')
  for (const delayMs of [0, 200, 2000]) {
    report.write(`The upstream responds to a submit after ${delayMs} ms.`)
    for (const connections of [1, 16, 64])
      reportRuns(report, connections, results.get(`${delayMs} ${connections}`) ?? {})
  }
  await testbed.configureStub({ delayMs: 0 })
  await measureConstantRate(report, testbed, api)
  await Promise.all([api.child.stop('SIGKILL'), wholeGateway.child.stop('SIGKILL')])
  claimSubmit(report, results)
}

async function measureConstantRate(report: Report, testbed: Testbed, api: Server): Promise<void> {
  const createRun = (server: Server, spec: RequestSpec) => async () => {
    await testbed.commands.flushall()
    return constantRate(() => spec, {
      perSecond: constantPerSecond,
      count: constantPerSecond * 3,
      pid: server.child.pid,
    })
  }
  const results = await runInterleaved(
    {
      [apiOnlyName]: createRun(api, createSubmit(api, submitBody)),
      ...Object.fromEntries(
        testbed.others.map(({ name, server, submit: spec }) => [name, createRun(server, spec)]),
      ),
      [bareRouteName]: createRun(testbed.route, {
        ...createSubmit(testbed.route),
        url: `${testbed.route.url}/submit`,
      }),
    },
    2,
  )
  report.section(`Submit, ${constantPerSecond} per second, upstream 0 ms`)
  report.table(
    ['', 'responses per second', 'p50 ms', 'p99 ms', 'failed'],
    Object.entries(results).map(([name, runs]) => [
      name,
      formatNumber(median(runs.map(({ perSecond }) => perSecond))),
      formatSpread(
        runs.map(({ p50 }) => p50),
        1,
      ),
      formatSpread(
        runs.map(({ p99 }) => p99),
        1,
      ),
      formatNumber(Math.max(...runs.map(({ failed }) => failed))),
    ]),
  )
}

function claimSubmit(report: Report, results: Map<string, Record<string, LoadResult[]>>): void {
  const medianOf = (resultKey: string, name: string, pickFigure: (measured: LoadResult) => number) =>
    median((results.get(resultKey)?.[name] ?? []).map(pickFigure))
  const pickPerSecond = ({ perSecond: pickPerSecond }: LoadResult) => pickPerSecond
  const pickP99 = (measured: LoadResult) => measured.p99
  const pickCpuUs = ({ cpuUs }: LoadResult) => cpuUs
  for (const resultKey of ['0 16', '0 64']) {
    const [, connections] = resultKey.split(' ')
    const ratioToPortkey =
      medianOf(resultKey, apiOnlyName, pickPerSecond) / medianOf(resultKey, 'Portkey', pickPerSecond)
    const p99Ratio = medianOf(resultKey, apiOnlyName, pickP99) / medianOf(resultKey, 'Portkey', pickP99)
    report.claim({
      claim: `submit, ${connections} connections: at least 8 x Portkey's requests per second, p99 below a third of Portkey's`,
      result: `${formatNumber(ratioToPortkey, 1)} x, p99 ${formatNumber(p99Ratio, 2)} of its; CPU time ${formatNumber(medianOf(resultKey, 'Portkey', pickCpuUs) / medianOf(resultKey, apiOnlyName, pickCpuUs), 1)} x (all in one process: ${formatNumber(medianOf(resultKey, wholeName, pickPerSecond) / medianOf(resultKey, 'Portkey', pickPerSecond), 1)} x)`,
      isMet: ratioToPortkey >= 8 && p99Ratio < 1 / 3,
    })
    const shareOfBareRoute =
      medianOf(resultKey, apiOnlyName, pickPerSecond) / medianOf(resultKey, bareRouteName, pickPerSecond)
    report.claim({
      claim: `submit, ${connections} connections: at least 45 % of a bare validated route`,
      result: `${formatNumber(shareOfBareRoute * 100)} %; by CPU time ${formatNumber((medianOf(resultKey, bareRouteName, pickCpuUs) / medianOf(resultKey, apiOnlyName, pickCpuUs)) * 100)} %`,
      isMet: shareOfBareRoute >= 0.45,
    })
  }
  for (const name of [apiOnlyName, wholeName]) {
    const shares = [200, 2000].map(
      (delayMs) => medianOf(`${delayMs} 64`, name, pickPerSecond) / medianOf('0 64', name, pickPerSecond),
    )
    report.claim({
      claim: `submit is flat from 0 to 2,000 ms upstream (${name})`,
      result: `200 ms: ${formatNumber((shares[0] ?? 0) * 100)} %, 2,000 ms: ${formatNumber((shares[1] ?? 0) * 100)} % of 0 ms`,
      isMet: shares.every((share) => share >= 0.8),
    })
  }
}
