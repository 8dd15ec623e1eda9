import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resetPeak, usage } from './child.ts'
import { createMp4 } from './files.ts'
import { measureDownloads, warmUpRunSeconds } from './load.ts'
import type { Report } from './report.ts'
import type { Server } from './servers.ts'
import { formatNumber, formatSpread, median, runInterleaved } from './statistics.ts'
import { runJob } from './status.ts'
import { submitJob, type Testbed } from './testbed.ts'

type DownloadResult = { mbPerSecond: number; cpuMs: number; peakMb: number; failed: number }

const sizes = [
  { title: '256 KiB', bytes: 256 * 1024, connections: 16 },
  { title: '50 MB', bytes: 50_000_000, connections: 4 },
]
const storedName = 'Reelgate, stored file'
const linkedName = "Reelgate, forwards the upstream's file"
const nginxProxyName = 'nginx, forwards the upstream’s file'
const nginxFileName = 'nginx, file of its own (sendfile)'

/** The bytes of a finished video. */
export async function measureContent(report: Report, testbed: Testbed): Promise<void> {
  report.section('Content')
  for (const { title, bytes, connections } of sizes) {
    await testbed.configureStub({ delayMs: 0, renderMs: 0, fileBytes: bytes })
    writeFileSync(join(testbed.files, 'video.mp4'), createMp4(bytes))
    const storingGateway = await testbed.gateway({ POLL_MAX_MS: '50' })
    const linkingGateway = await testbed.gateway({
      POLL_MAX_MS: '50',
      RESULTS: 'link',
      REDIS_PREFIX: 'link:',
    })
    const linkedId = await runJob(linkingGateway)
    const storedId = await runJob(storingGateway)
    const createRun =
      (server: Server, path: string, headers: Record<string, string> = {}) =>
      async (): Promise<DownloadResult> => {
        const { pid } = server.child
        const downloadFor = (seconds: number) =>
          measureDownloads(server.url + path, { connections, seconds, headers })
        await downloadFor(warmUpRunSeconds)
        resetPeak(pid)
        const before = usage(pid)
        const { bytesPerSecond, files, failed } = await downloadFor(1.5)
        const after = usage(pid)
        const megabytes = Math.max((files * bytes) / 1e6, 1)
        return {
          mbPerSecond: bytesPerSecond / 1e6,
          cpuMs: ((after.cpuMs - before.cpuMs) * 1000) / megabytes,
          peakMb: after.peakMb,
          failed,
        }
      }
    const contestants: Record<string, () => Promise<DownloadResult>> = {
      [storedName]: createRun(storingGateway, `/api/generate-video/content?runId=${storedId}`),
      [linkedName]: createRun(linkingGateway, `/api/generate-video/content?runId=${linkedId}`),
    }
    for (const { name, server, submit } of testbed.others) {
      const id = await submitJob(submit)
      const headers = submit.headers ?? {}
      contestants[name === 'nginx' ? nginxProxyName : name] = createRun(
        server,
        `/v1/videos/${id}/content`,
        headers,
      )
      if (name === 'nginx') contestants[nginxFileName] = createRun(server, '/static/video.mp4')
    }
    const results = await runInterleaved(contestants, 3)
    report.table(
      [`${title}, ${connections} connections`, 'MB/s', 'CPU ms per GB', 'peak memory MB', 'failed'],
      Object.entries(results).map(([name, runs]) => [
        name,
        formatSpread(runs.map(({ mbPerSecond }) => mbPerSecond)),
        formatNumber(median(runs.map(({ cpuMs }) => cpuMs))),
        formatSpread(runs.map(({ peakMb }) => peakMb)),
        formatNumber(Math.max(...runs.map(({ failed }) => failed))),
      ]),
    )
    await Promise.all([storingGateway.child.stop('SIGKILL'), linkingGateway.child.stop('SIGKILL')])
    if (title === '50 MB') claimContent(report, results)
  }
}

function claimContent(report: Report, results: Record<string, DownloadResult[]>): void {
  const medianMbPerSecond = (name: string) =>
    median((results[name] ?? []).map(({ mbPerSecond }) => mbPerSecond))
  const medianCpuMs = (name: string) => median((results[name] ?? []).map(({ cpuMs }) => cpuMs))
  const peaks = (results[storedName] ?? []).map(({ peakMb }) => peakMb)
  const peakGrowth = Math.max(...peaks) - (peaks[0] ?? 0)
  for (const name of [storedName, linkedName]) {
    const share = medianMbPerSecond(name) / medianMbPerSecond(nginxProxyName)
    report.claim({
      claim: `content 50 MB: at least 60 % of nginx, which forwards the same bytes (${name})`,
      result: `${formatNumber(share * 100)} % (${formatNumber((medianMbPerSecond(name) / medianMbPerSecond(nginxFileName)) * 100)} % of nginx with a file of its own); by CPU time ${formatNumber((medianCpuMs(nginxProxyName) / medianCpuMs(name)) * 100)} %`,
      isMet: share >= 0.6,
    })
  }
  report.claim({
    claim: 'content 50 MB: memory flat (stored file)',
    result: `peak ${formatNumber(Math.max(...peaks))} MB, ${formatNumber(peakGrowth)} MB more than in the first round`,
    isMet: peakGrowth < 50,
  })
}
