import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { usage } from './child.ts'
import type { Field } from './field.ts'
import { interleaved, median, number, spread } from './numbers.ts'
import type { Report } from './report.ts'
import { type Server, startGateway, startLitellm, startPortkey } from './servers.ts'

type Started = { ms: number; idleMb: number } | string

/** From the start of the process to its first answer, and what it holds when nothing happens. */
export async function begin(report: Report, field: Field): Promise<void> {
  async function timed(start: () => Promise<Server | string>): Promise<Started> {
    const startedAt = performance.now()
    const server = await start()
    const ms = performance.now() - startedAt
    if (typeof server === 'string') return server
    await sleep(1500)
    const { rssMb } = usage(server.child.pid)
    await server.child.stop()
    return { ms, idleMb: rssMb }
  }
  const results = await interleaved(
    {
      'Reelgate, Redis of its own, stand-in upstreams': () => timed(() => startGateway({})),
      'Reelgate, Redis elsewhere': () => timed(() => field.gateway()),
      Portkey: () => timed(startPortkey),
    },
    3,
  )
  results.LiteLLM = [await timed(() => startLitellm(field.stub))]
  report.section('Start')
  report.table(
    ['', 'start to first answer, ms', 'idle memory, MB'],
    Object.entries(results).map(([name, runs]) => {
      const good = runs.filter((run) => typeof run !== 'string')
      if (good.length === 0) return [name, 'missing', '']
      return [name, spread(good.map(({ ms }) => ms)), number(median(good.map(({ idleMb }) => idleMb)))]
    }),
  )
}
