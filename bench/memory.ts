import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataUrl, png, videoOf } from '../test/media/files.ts'
import { type GatewayProcess, memoryOf, startProcess, stopProcess } from '../test/support/gateway-process.ts'
import {
  createCleanup,
  startRedis,
  startUpstreams,
  submit,
  temporaryFolder,
  waitForEnd,
} from '../test/support/setup.ts'

// What media cost in memory, measured on a gateway process of its own: `node bench/memory.ts [model …]`.

type Env = Readonly<Record<string, string>>

const megabyte = 1024 * 1024
const cleanup = createCleanup()
const printLine = (line: string) => process.stdout.write(`${line}\n`)

/** Runs the work and tells how far the process's memory rose above what it was. */
async function measurePeak(
  gateway: GatewayProcess,
  label: string,
  work: () => Promise<unknown>,
): Promise<void> {
  await sleep(1500)
  const idleMb = memoryOf(gateway)
  let peakMb = idleMb
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, memoryOf(gateway))
  }, 5)
  const started = performance.now()
  await work()
  clearInterval(timer)
  const ms = Math.round(performance.now() - started)
  printLine(`${label}: idle ${idleMb} MB, peak ${peakMb} MB (+${peakMb - idleMb}), ${ms} ms`)
}

async function hashDownload(link: string): Promise<string> {
  const hash = createHash('sha256')
  const { body } = await fetch(link)
  for await (const chunk of body ?? []) hash.update(chunk)
  return hash.digest('hex')
}

/** A gateway that has rendered once. */
async function startWarmGateway(env: Env): Promise<GatewayProcess> {
  const gateway = await startProcess({
    DATA_DIR: await temporaryFolder(cleanup),
    POLL_MAX_MS: '500',
    ...env,
  })
  cleanup.add(() => stopProcess(gateway))
  const { body } = await submit(gateway.address, { model: 'veo2-video', prompt: 'warm up' })
  if (env.ROLE !== 'api') await waitForEnd(gateway.address, body.runId)
  return gateway
}

async function measureSubmits(model: string, env: Env, upstreamsLabel: string): Promise<void> {
  const gateway = await startWarmGateway(env)
  const image = dataUrl('image/png', png({ padding: 20 * megabyte - 4096 }))
  await measurePeak(gateway, `8 submits of 20 MB, ${model}, ${upstreamsLabel}`, async () => {
    const bodies = Array.from({ length: 8 }, (_, index) => ({
      model,
      prompt: `${index}`,
      imageDataUrl: image,
    }))
    const submits = await Promise.all(bodies.map((body) => submit(gateway.address, body)))
    const outcomes = await Promise.all(submits.map(({ body }) => waitForEnd(gateway.address, body.runId)))
    const failedOutcome = outcomes.find(({ data }) => data.status !== 'COMPLETED')
    if (failedOutcome !== undefined)
      printLine(`  ended ${failedOutcome.data.status}: ${failedOutcome.data.error}`)
  })
}

async function measureQueue(upstreams: Env): Promise<void> {
  const { url, redis } = await startRedis(cleanup)
  const gateway = await startWarmGateway({ ...upstreams, REDIS_URL: `unix://${url}`, ROLE: 'api' })
  const readRedisBytes = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  const bytesBefore = await readRedisBytes()
  const image = dataUrl('image/png', png({ padding: 4 * megabyte }))
  const body = { model: 'hunyuan-video-image-to-video', prompt: 'it moves', imageDataUrl: image }
  for (let count = 0; count < 64; count += 1) await submit(gateway.address, body)
  printLine(
    `64 jobs of 4 MB in the queue: Redis grew by ${Math.round(((await readRedisBytes()) - bytesBefore) / 1024)} kB`,
  )
}

async function measureDelivery(
  host: Awaited<ReturnType<typeof startUpstreams>>['host'],
  upstreams: Env,
): Promise<void> {
  const content = videoOf(200 * megabyte)
  const headers = { 'content-type': 'video/mp4', 'content-length': content.length }
  const files = createServer((_, response) => response.writeHead(200, headers).end(content))
  await once(files.listen(0, '127.0.0.1'), 'listening')
  cleanup.add(() => files.close())
  const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`
  const gateway = await startWarmGateway({ ...upstreams, WAVESPEED_BASE_URL: origin })
  const body = { video: { url: `${origin}/a.mp4` } }
  host.injectFault({ provider: 'fal', operation: 'result', kind: 'status', status: 200, body, times: 1 })
  let link = ''
  await measurePeak(gateway, '200 MB result fetched', async () => {
    const submitted = await submit(gateway.address, { model: 'veo2-video', prompt: 'a long one' })
    link = (await waitForEnd(gateway.address, submitted.body.runId)).data.output?.video.url ?? ''
  })
  await measurePeak(gateway, '200 MB result played twice at once', async () => {
    const expectedHash = createHash('sha256').update(content).digest('hex')
    const playedHashes = await Promise.all([hashDownload(link), hashDownload(link)])
    if (playedHashes.some((hash) => hash !== expectedHash)) printLine('  the copies differ')
  })
}

try {
  const { redis } = await startRedis(cleanup)
  const { host, env } = await startUpstreams(cleanup, redis, 500)
  const upstreams = { ...env, UPSTREAM_TIMEOUT_SECONDS: '20' }
  const defaultModels = ['hunyuan-video-image-to-video', 'bytedance-waver-1.0', 'midjourney-video']
  const requestedModels = process.argv.slice(2)
  for (const model of requestedModels.length > 0 ? requestedModels : defaultModels) {
    await measureSubmits(model, upstreams, 'upstreams elsewhere')
    await measureSubmits(
      model,
      { SANDBOX: 'on', SANDBOX_RENDER_SECONDS: '1' },
      'mock upstreams in the same process',
    )
  }
  await measureQueue(upstreams)
  await measureDelivery(host, upstreams)
} finally {
  await cleanup.run()
}
