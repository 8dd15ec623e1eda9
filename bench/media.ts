import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { model } from './bodies.ts'
import { resetPeak, usage } from './child.ts'
import { createPng } from './files.ts'
import type { RequestSpec } from './load.ts'
import type { Report } from './report.ts'
import type { Server } from './servers.ts'
import { formatNumber, formatSpread, median, percentile, runInterleaved } from './statistics.ts'
import { createStatusSpec, runJob } from './status.ts'
import { type Contestant, createSubmit, sendRequest, type Testbed } from './testbed.ts'

type MediaResult = { ms: number; extraMb: number; statusP99: number; failed: number }

const concurrentSubmits = 8
const imageBytes = 20_000_000

/** Eight submits at once, each with an image of 20 MB as a data URL, while somebody asks for a status all the time. */
export async function measureMedia(report: Report, testbed: Testbed): Promise<void> {
  await testbed.configureStub({ delayMs: 0, renderMs: 0, fileBytes: 32 * 1024 })
  const gateway = await testbed.gateway({ POLL_MAX_MS: '50' })
  const id = await runJob(gateway)
  let round = 0

  async function run(
    server: Server,
    createSpec: (image: string) => RequestSpec,
    statusSpec: RequestSpec,
  ): Promise<MediaResult> {
    round += 1
    const images = Array.from({ length: concurrentSubmits }, (_, index) =>
      dataUrl(round * concurrentSubmits + index),
    )
    resetPeak(server.child.pid)
    const before = usage(server.child.pid).rssMb
    const startedAt = performance.now()
    const responses = Promise.all(images.map((image) => sendRequest(createSpec(image))))
    const statusTimes = requestUntil(responses, statusSpec)
    const settledResponses = await responses
    const ms = performance.now() - startedAt
    const statusP99 = percentile(await statusTimes, 99)
    const failed = settledResponses.filter(({ status }) => status >= 300).length
    return { ms, extraMb: usage(server.child.pid).peakMb - before, statusP99, failed }
  }

  const createReelgateSpec = (image: string) =>
    createSubmit(gateway, JSON.stringify({ model, prompt: 'a boat', image }))
  const contestants: Record<string, () => Promise<MediaResult>> = {
    Reelgate: () => run(gateway, createReelgateSpec, createStatusSpec(gateway, id)),
  }
  for (const peer of testbed.others) {
    const statusSpec = await createPeerStatusSpec(peer)
    contestants[peer.name] = () => run(peer.server, (image) => createImageSpec(peer, image), statusSpec)
  }
  const results = await runInterleaved(contestants, 2)
  report.section(`Media: ${concurrentSubmits} submits at once with ${imageBytes / 1e6} MB data URLs`)
  report.table(
    ['', 'all responses ms', 'additional memory MB', 'p99 of a status meanwhile ms', 'failed'],
    Object.entries(results).map(([name, runs]) => [
      name,
      formatSpread(runs.map(({ ms }) => ms)),
      formatSpread(runs.map(({ extraMb }) => extraMb)),
      formatNumber(median(runs.map(({ statusP99 }) => statusP99))),
      formatNumber(Math.max(...runs.map(({ failed }) => failed))),
    ]),
  )
  await gateway.child.stop('SIGKILL')
}

async function createPeerStatusSpec({ submit, status }: Contestant): Promise<RequestSpec> {
  const { text } = await sendRequest(submit)
  return status((JSON.parse(text) as { id: string }).id)
}

async function requestUntil(finished: Promise<unknown>, statusSpec: RequestSpec): Promise<number[]> {
  let isDone = false
  const markDone = () => {
    isDone = true
  }
  void finished.then(markDone, markDone)
  const latenciesMs: number[] = []
  while (!isDone) {
    const startedAt = performance.now()
    await sendRequest(statusSpec)
    latenciesMs.push(performance.now() - startedAt)
    await sleep(5)
  }
  return latenciesMs
}

function createImageSpec({ submit }: Contestant, image: string): RequestSpec {
  return {
    ...submit,
    body: JSON.stringify({ model, prompt: 'a boat', seconds: '4', input_reference: image }),
  }
}

function dataUrl(seed: number): string {
  return `data:image/png;base64,${createPng(imageBytes, seed % 256).toString('base64')}`
}
