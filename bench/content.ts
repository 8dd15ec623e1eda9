import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resetPeak, usage } from './child.ts'
import { type Field, submitted } from './field.ts'
import { mp4Of } from './files.ts'
import { downloads, leadInSeconds } from './load.ts'
import { interleaved, median, number, spread } from './numbers.ts'
import type { Report } from './report.ts'
import type { Server } from './servers.ts'
import { finished } from './status.ts'

type Downloaded = { mbPerSecond: number; cpuMs: number; peakMb: number; failed: number }

const sizes = [
  { title: '256 KiB', bytes: 256 * 1024, connections: 16 },
  { title: '50 MB', bytes: 50_000_000, connections: 4 },
]
const stored = 'Reelgate, stored file'
const passed = "Reelgate, forwards the upstream's file"
const nginxProxy = 'nginx, forwards the upstream’s file'
const nginxFile = 'nginx, file of its own (sendfile)'

/** The bytes of a finished video. */
export async function content(report: Report, field: Field): Promise<void> {
  report.section('Content')
  for (const { title, bytes, connections } of sizes) {
    await field.settle({ delayMs: 0, renderMs: 0, fileBytes: bytes })
    writeFileSync(join(field.files, 'video.mp4'), mp4Of(bytes))
    const keeping = await field.gateway({ POLL_MAX_MS: '50' })
    const linking = await field.gateway({ POLL_MAX_MS: '50', RESULTS: 'link', REDIS_PREFIX: 'link:' })
    const kept = await finished(linking)
    const keptToo = await finished(keeping)
    const run =
      (server: Server, path: string, headers: Record<string, string> = {}) =>
      async (): Promise<Downloaded> => {
        const { pid } = server.child
        const load = (seconds: number) => downloads(server.url + path, { connections, seconds, headers })
        await load(leadInSeconds)
        resetPeak(pid)
        const before = usage(pid)
        const { bytesPerSecond, files, failed } = await load(1.5)
        const after = usage(pid)
        const megabytes = Math.max((files * bytes) / 1e6, 1)
        return {
          mbPerSecond: bytesPerSecond / 1e6,
          cpuMs: ((after.cpuMs - before.cpuMs) * 1000) / megabytes,
          peakMb: after.peakMb,
          failed,
        }
      }
    const contestants: Record<string, () => Promise<Downloaded>> = {
      [stored]: run(keeping, `/api/generate-video/content?runId=${keptToo}`),
      [passed]: run(linking, `/api/generate-video/content?runId=${kept}`),
    }
    for (const { name, server, submit } of field.others) {
      const id = await submitted(submit)
      const headers = submit.headers ?? {}
      contestants[name === 'nginx' ? nginxProxy : name] = run(server, `/v1/videos/${id}/content`, headers)
      if (name === 'nginx') contestants[nginxFile] = run(server, '/static/video.mp4')
    }
    const results = await interleaved(contestants, 3)
    report.table(
      [`${title}, ${connections} connections`, 'MB/s', 'CPU ms per GB', 'peak memory MB', 'failed'],
      Object.entries(results).map(([name, runs]) => [
        name,
        spread(runs.map(({ mbPerSecond }) => mbPerSecond)),
        number(median(runs.map(({ cpuMs }) => cpuMs))),
        spread(runs.map(({ peakMb }) => peakMb)),
        number(Math.max(...runs.map(({ failed }) => failed))),
      ]),
    )
    await Promise.all([keeping.child.stop('SIGKILL'), linking.child.stop('SIGKILL')])
    if (title === '50 MB') judge(report, results)
  }
}

function judge(report: Report, results: Record<string, Downloaded[]>): void {
  const of = (name: string) => median((results[name] ?? []).map(({ mbPerSecond }) => mbPerSecond))
  const cpu = (name: string) => median((results[name] ?? []).map(({ cpuMs }) => cpuMs))
  const peaks = (results[stored] ?? []).map(({ peakMb }) => peakMb)
  const growth = Math.max(...peaks) - (peaks[0] ?? 0)
  for (const name of [stored, passed]) {
    const share = of(name) / of(nginxProxy)
    report.claim({
      claim: `content 50 MB: at least 60 % of nginx, which forwards the same bytes (${name})`,
      found: `${number(share * 100)} % (${number((of(name) / of(nginxFile)) * 100)} % of nginx with a file of its own); by CPU time ${number((cpu(nginxProxy) / cpu(name)) * 100)} %`,
      holds: share >= 0.6,
    })
  }
  report.claim({
    claim: 'content 50 MB: memory flat (stored file)',
    found: `peak ${number(Math.max(...peaks))} MB, ${number(growth)} MB more than in the first round`,
    holds: growth < 50,
  })
}
