import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { model } from './bodies.ts'
import { resetPeak, usage } from './child.ts'
import { ask, type Contestant, type Field, submitTo } from './field.ts'
import { pngOf } from './files.ts'
import type { Shot } from './load.ts'
import { interleaved, median, number, percentile, spread } from './numbers.ts'
import type { Report } from './report.ts'
import type { Server } from './servers.ts'
import { finished, statusOf } from './status.ts'

type Taken = { ms: number; moreMb: number; statusP99: number; failed: number }

const atOnce = 8
const imageBytes = 20_000_000

/** Eight submits at once, each with an image of 20 MB as a data URL, while somebody asks for a status all the time. */
export async function media(report: Report, field: Field): Promise<void> {
  await field.settle({ delayMs: 0, renderMs: 0, fileBytes: 32 * 1024 })
  const gateway = await field.gateway({ POLL_MAX_MS: '50' })
  const id = await finished(gateway)
  let turn = 0

  async function run(server: Server, shotOf: (image: string) => Shot, look: Shot): Promise<Taken> {
    turn += 1
    const images = Array.from({ length: atOnce }, (_, index) => dataUrl(turn * atOnce + index))
    resetPeak(server.child.pid)
    const before = usage(server.child.pid).rssMb
    const startedAt = performance.now()
    const arrived = Promise.all(images.map((image) => ask(shotOf(image))))
    const looks = lookUntil(arrived, look)
    const answers = await arrived
    const ms = performance.now() - startedAt
    const statusP99 = percentile(await looks, 99)
    const failed = answers.filter(({ status }) => status >= 300).length
    return { ms, moreMb: usage(server.child.pid).peakMb - before, statusP99, failed }
  }

  const reelgate = (image: string) => submitTo(gateway, JSON.stringify({ model, prompt: 'a boat', image }))
  const contestants: Record<string, () => Promise<Taken>> = {
    Reelgate: () => run(gateway, reelgate, statusOf(gateway, id)),
  }
  for (const other of field.others) {
    const look = await lookAt(other)
    contestants[other.name] = () => run(other.server, (image) => withImage(other, image), look)
  }
  const results = await interleaved(contestants, 2)
  report.section(`Media: ${atOnce} submits at once with ${imageBytes / 1e6} MB data URLs`)
  report.table(
    ['', 'all responses ms', 'additional memory MB', 'p99 of a status meanwhile ms', 'failed'],
    Object.entries(results).map(([name, runs]) => [
      name,
      spread(runs.map(({ ms }) => ms)),
      spread(runs.map(({ moreMb }) => moreMb)),
      number(median(runs.map(({ statusP99 }) => statusP99))),
      number(Math.max(...runs.map(({ failed }) => failed))),
    ]),
  )
  await gateway.child.stop('SIGKILL')
}

async function lookAt({ submit, status }: Contestant): Promise<Shot> {
  const { text } = await ask(submit)
  return status((JSON.parse(text) as { id: string }).id)
}

async function lookUntil(done: Promise<unknown>, look: Shot): Promise<number[]> {
  let over = false
  const end = () => {
    over = true
  }
  void done.then(end, end)
  const took: number[] = []
  while (!over) {
    const startedAt = performance.now()
    await ask(look)
    took.push(performance.now() - startedAt)
    await sleep(5)
  }
  return took
}

function withImage({ submit }: Contestant, image: string): Shot {
  return {
    ...submit,
    body: JSON.stringify({ model, prompt: 'a boat', seconds: '4', input_reference: image }),
  }
}

function dataUrl(seed: number): string {
  return `data:image/png;base64,${pngOf(imageBytes, seed % 256).toString('base64')}`
}
