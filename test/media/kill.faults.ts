import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { report } from '../faults/print-counts.ts'
import { startProcess, stopProcess } from '../support/gateway-process.ts'
import {
  createCleanup,
  startRedis,
  startUpstreams,
  submit,
  temporaryFolder,
  waitForEnd,
  waitForStage,
} from '../support/setup.ts'
import { startServer, videoOf } from './files.ts'

const content = videoOf(4 * 1024 * 1024)

it('kill -9 during a delivery: the job completes, and no partial file is served or left', async (t) => {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const ranges: (string | undefined)[] = []
  const files = await startServer(t, ({ headers: { range } }, response) => {
    ranges.push(range)
    const from = Number(/\d+/.exec(range ?? '')?.[0] ?? 0)
    const rangeHeaders =
      from === 0 ? {} : { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
    response.writeHead(from === 0 ? 200 : 206, {
      'content-type': 'video/mp4',
      'content-length': content.length - from,
      etag: '"one"',
      ...rangeHeaders,
    })
    // The first time only the first half comes, and then nothing more.
    if (ranges.length === 1) response.write(content.subarray(0, content.length / 2))
    else response.end(content.subarray(from))
  })
  const { redis } = await startRedis(cleanup)
  const { host, env: upstreams } = await startUpstreams(cleanup, redis)
  const dataDir = await temporaryFolder(cleanup)
  // The origin of any upstream is trusted; WaveSpeed is not called otherwise.
  const env = { ...upstreams, DATA_DIR: dataDir, WAVESPEED_BASE_URL: files }
  host.injectFault({
    provider: 'fal',
    operation: 'result',
    kind: 'status',
    status: 200,
    body: { video: { url: `${files}/a.mp4` } },
    times: 1,
  })

  const first = await startProcess(env)
  cleanup.add(() => stopProcess(first))
  const { body } = await submit(first.address, { model: 'veo2-video', prompt: 'a boat' })
  await waitForStage(first.address, body.runId, /^delivering$/)
  const half = await untilHalf(join(dataDir, 'scratch'))
  assert.equal(half.length, 1)
  const status = await fetch(`${first.address}/api/video/status?runId=${body.runId}`)
  assert.equal(((await status.json()) as { videoUrl: unknown }).videoUrl, null)
  assert.deepEqual(await readdir(join(dataDir, 'files', 'results')).catch(() => []), [])
  await stopProcess(first, 'SIGKILL')

  const second = await startProcess(env)
  cleanup.add(() => stopProcess(second))
  const end = await waitForEnd(second.address, body.runId)
  assert.equal(end.data.status, 'COMPLETED')
  assert.match(ranges[1] ?? '', /^bytes=[1-9]\d*-$/)
  const served = await fetch(end.data.output?.video.url ?? '')
  assert.ok(Buffer.from(await served.arrayBuffer()).equals(content))
  assert.deepEqual(await readdir(join(dataDir, 'scratch')), [])
  assert.equal((await readdir(join(dataDir, 'files', 'results'))).length, 1)

  const most = (await host.tasks('fal')).length
  assert.equal(most, 1)
  const job = (await (await fetch(`${second.address}/api/jobs/${body.runId}`)).json()) as {
    events: { state: string }[]
  }
  const ends = job.events.filter(({ state }) => /^(succeeded|failed|canceled)$/.test(state)).length
  assert.equal(ends, 1)
  const suite = '`kill -9` during a delivery'
  report({ suite, faults: 1, jobs: 1, lost: 0, most, doubleEnds: ends - 1, discarded: 0 })
})

async function untilHalf(folder: string): Promise<string[]> {
  for (let tries = 0; tries < 200; tries += 1) {
    const files = await readdir(folder)
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size))
    if (sizes.some((size) => size > 0)) return files
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return []
}
