import { submitBody } from './bodies.ts'
import { type Field, submitTo } from './field.ts'
import { closedLoop, constantRate, type Measured, runSeconds, type Shot } from './load.ts'
import { interleaved, median, number, spread } from './numbers.ts'
import { type Report, showRuns } from './report.ts'
import type { Server } from './servers.ts'
import { warmUpSeconds } from './status.ts'

const rounds = 3
const constantPerSecond = 200

type Runs = Record<string, () => Promise<Measured>>

const apiOnly = 'Reelgate, API process'
const whole = 'Reelgate, all in one process'
const bare = 'bare Fastify route'

/** A small JSON submit: how many a second, how late, at which cost. */
export async function submit(report: Report, field: Field): Promise<void> {
  const api = await field.gateway({ ROLE: 'api' })
  const all = await field.gateway({ REDIS_PREFIX: 'all:' })
  const found = new Map<string, Record<string, Measured[]>>()

  /** What a gateway has accepted is gone afterwards, so that its worker does not buy while others are measured. */
  async function closed(server: Server, shot: Shot, connections: number, seconds: number): Promise<Measured> {
    const afterwards = () => field.commands.flushall()
    return closedLoop(shot, { connections, seconds, pid: server.child.pid, afterwards })
  }

  function runs(connections: number, seconds: number, everybody: boolean): Runs {
    const wanted = field.others.filter(({ name }) => everybody || name === 'Portkey')
    const route = { ...submitTo(field.route), url: `${field.route.url}/submit` }
    return {
      [apiOnly]: () => closed(api, submitTo(api), connections, seconds),
      [whole]: () => closed(all, submitTo(all), connections, seconds),
      ...Object.fromEntries(
        wanted.map(({ name, server, submit: shot }) => [
          name,
          () => closed(server, shot, connections, seconds),
        ]),
      ),
      ...(everybody && { [bare]: () => closed(field.route, route, connections, seconds) }),
    }
  }

  await interleaved(runs(32, warmUpSeconds, true), 1)
  for (const delayMs of [0, 200, 2000]) {
    await field.settle({ delayMs, renderMs: 600_000 })
    for (const connections of [1, 16, 64]) {
      const contestants = runs(connections, runSeconds, delayMs === 0)
      found.set(`${delayMs} ${connections}`, await interleaved(contestants, rounds))
    }
  }
  report.section('Submit, closed loop')
  for (const delayMs of [0, 200, 2000]) {
    report.say(`The upstream responds to a submit after ${delayMs} ms.`)
    for (const connections of [1, 16, 64])
      showRuns(report, connections, found.get(`${delayMs} ${connections}`) ?? {})
  }
  await field.settle({ delayMs: 0 })
  await atConstantRate(report, field, api)
  await Promise.all([api.child.stop('SIGKILL'), all.child.stop('SIGKILL')])
  judge(report, found)
}

async function atConstantRate(report: Report, field: Field, api: Server): Promise<void> {
  const run = (server: Server, shot: Shot) => async () => {
    await field.commands.flushall()
    return constantRate(() => shot, {
      perSecond: constantPerSecond,
      count: constantPerSecond * 3,
      pid: server.child.pid,
    })
  }
  const results = await interleaved(
    {
      [apiOnly]: run(api, submitTo(api, submitBody)),
      ...Object.fromEntries(field.others.map(({ name, server, submit: shot }) => [name, run(server, shot)])),
      [bare]: run(field.route, { ...submitTo(field.route), url: `${field.route.url}/submit` }),
    },
    2,
  )
  report.section(`Submit, ${constantPerSecond} per second, upstream 0 ms`)
  report.table(
    ['', 'responses per second', 'p50 ms', 'p99 ms', 'failed'],
    Object.entries(results).map(([name, runs]) => [
      name,
      number(median(runs.map(({ perSecond }) => perSecond))),
      spread(
        runs.map(({ p50 }) => p50),
        1,
      ),
      spread(
        runs.map(({ p99 }) => p99),
        1,
      ),
      number(Math.max(...runs.map(({ failed }) => failed))),
    ]),
  )
}

function judge(report: Report, found: Map<string, Record<string, Measured[]>>): void {
  const of = (cell: string, name: string, read: (measured: Measured) => number) =>
    median((found.get(cell)?.[name] ?? []).map(read))
  const perSecond = ({ perSecond }: Measured) => perSecond
  const p99 = (measured: Measured) => measured.p99
  const cpu = ({ cpuUs }: Measured) => cpuUs
  for (const cell of ['0 16', '0 64']) {
    const [, connections] = cell.split(' ')
    const times = of(cell, apiOnly, perSecond) / of(cell, 'Portkey', perSecond)
    const late = of(cell, apiOnly, p99) / of(cell, 'Portkey', p99)
    report.claim({
      claim: `submit, ${connections} connections: at least 8 x Portkey's requests per second, p99 below a third of Portkey's`,
      found: `${number(times, 1)} x, p99 ${number(late, 2)} of its; CPU time ${number(of(cell, 'Portkey', cpu) / of(cell, apiOnly, cpu), 1)} x (all in one process: ${number(of(cell, whole, perSecond) / of(cell, 'Portkey', perSecond), 1)} x)`,
      holds: times >= 8 && late < 1 / 3,
    })
    const share = of(cell, apiOnly, perSecond) / of(cell, bare, perSecond)
    report.claim({
      claim: `submit, ${connections} connections: at least 45 % of a bare validated route`,
      found: `${number(share * 100)} %; by CPU time ${number((of(cell, bare, cpu) / of(cell, apiOnly, cpu)) * 100)} %`,
      holds: share >= 0.45,
    })
  }
  for (const name of [apiOnly, whole]) {
    const flat = [200, 2000].map(
      (delayMs) => of(`${delayMs} 64`, name, perSecond) / of('0 64', name, perSecond),
    )
    report.claim({
      claim: `submit is flat from 0 to 2,000 ms upstream (${name})`,
      found: `200 ms: ${number((flat[0] ?? 0) * 100)} %, 2,000 ms: ${number((flat[1] ?? 0) * 100)} % of 0 ms`,
      holds: flat.every((share) => share >= 0.8),
    })
  }
}
