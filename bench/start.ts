import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { usage } from './child.ts'
import type { Report } from './report.ts'
import { type Server, startGateway, startLitellm, startPortkey } from './servers.ts'
import { formatNumber, formatSpread, median, runInterleaved } from './statistics.ts'
import type { Testbed } from './testbed.ts'

type StartResult = { ms: number; idleMb: number } | string

/** From the start of the process to its first answer, and what it holds when nothing happens. */
export async function measureStart(report: Report, testbed: Testbed): Promise<void> {
  async function timeStart(start: () => Promise<Server | string>): Promise<StartResult> {
    const startedAt = performance.now()
    const server = await start()
    const ms = performance.now() - startedAt
    if (typeof server === 'string') return server
    await sleep(1500)
    const { rssMb } = usage(server.child.pid)
    await server.child.stop()
    return { ms, idleMb: rssMb }
  }
  const results = await runInterleaved(
    {
      'Reelgate, embedded Redis, mock upstreams': () => timeStart(() => startGateway({})),
      'Reelgate, Redis elsewhere': () => timeStart(() => testbed.gateway()),
      Portkey: () => timeStart(startPortkey),
    },
    3,
  )
  results.LiteLLM = [await timeStart(() => startLitellm(testbed.stub))]
  report.section('Start')
  report.table(
    ['', 'start to first answer, ms', 'idle memory, MB'],
    Object.entries(results).map(([name, runs]) => {
      const successfulRuns = runs.filter((run) => typeof run !== 'string')
      if (successfulRuns.length === 0) return [name, 'missing', '']
      return [
        name,
        formatSpread(successfulRuns.map(({ ms }) => ms)),
        formatNumber(median(successfulRuns.map(({ idleMb }) => idleMb))),
      ]
    }),
  )
}
