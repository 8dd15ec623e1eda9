import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { providers } from '../../providers/index.ts'
import type { ProviderName } from '../../providers/provider.ts'
import { readConfig } from '../../src/config/config.ts'
import type { Gateway } from '../../src/gateway.ts'
import { createConnections } from '../../src/redis/connections.ts'
import { startEmbeddedRedis } from '../../src/redis/embedded.ts'
import type { SandboxHost } from '../../src/sandbox/mock-server.ts'

export const quiet = pino({ level: process.env.TEST_LOG ?? 'silent' })

/** Closes everything that a test opens, in reverse order. */
export function createCleanup() {
  const closers: (() => unknown)[] = []
  return {
    add(close: () => unknown): void {
      closers.push(close)
    },
    async run(): Promise<void> {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}

export type Cleanup = ReturnType<typeof createCleanup>

export async function temporaryFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reelgate-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** A real Redis for one test. */
export async function startRedis(cleanup: Cleanup): Promise<{ url: string; redis: Redis }> {
  const server = await startEmbeddedRedis({
    dataDir: await temporaryFolder(cleanup),
    logger: quiet,
    production: false,
  })
  cleanup.add(() => server.stop())
  const connections = createConnections({ path: server.path }, { prefix: 'test:', logger: quiet })
  cleanup.add(() => connections.close())
  return { url: server.path, redis: await connections.forRequests() }
}

/** Mock upstreams with fault injection, and the environment of a gateway that treats them as real ones. */
export async function startUpstreams(
  cleanup: Cleanup,
  redis: Redis,
  renderMs = 300,
): Promise<{ host: SandboxHost; env: Record<string, string> }> {
  // Imported here, as the gateway below: a test of one module does not wait for all the others.
  const { startSandbox } = await import('../../src/sandbox/mock-server.ts')
  const { mockUpstreams } = await import('../../src/sandbox/upstreams/index.ts')
  const host = await startSandbox({
    mocks: mockUpstreams,
    providers: Object.values(providers),
    upstreams: readConfig({}, Object.values(providers)).upstreams,
    redis,
    prefix: 'upstream:',
    renderMs,
  })
  cleanup.add(() => host.close())
  return { host, env: environmentOf(host) }
}

function environmentOf({ upstreams }: SandboxHost): Record<string, string> {
  const env: Record<string, string> = {
    SANDBOX: 'off',
    POLL_MAX_MS: '100',
    UPSTREAM_TIMEOUT_SECONDS: '2',
    // A rejected key in one test does not affect the next one.
    UPSTREAM_RETRY_SECONDS: '0',
  }
  for (const provider of Object.values(providers)) {
    const config = upstreams[provider.name as ProviderName]
    for (const [name, host] of Object.entries(provider.hosts))
      env[host.baseUrlVariable] = config.baseUrls[name] ?? ''
    Object.assign(env, config.credentials)
  }
  return env
}

/** A whole gateway in this process. */
export async function startTestGateway(cleanup: Cleanup, env: Record<string, string>): Promise<Gateway> {
  const config = readConfig(
    { PORT: '0', DATA_DIR: await temporaryFolder(cleanup), LOG_LEVEL: 'silent', ...env },
    Object.values(providers),
  )
  const { startGateway } = await import('../../src/gateway.ts')
  const gateway = await startGateway(config, quiet)
  cleanup.add(() => gateway.stop())
  return gateway
}

export type StatusReply = {
  requestId: string
  status: string
  stage: string
  videoUrl: string | null
  error: unknown
  data: {
    status: string
    error: string | null
    output: null | { video: { url: string }; videos: { url: string }[] }
    isNSFWError?: boolean
  }
}

export async function submit(
  address: string,
  body: Record<string, unknown>,
): Promise<{ status: number; body: Record<string, unknown> & { runId: string } }> {
  const reply = await fetch(`${address}/api/generate-video`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> & { runId: string } }
}

/** Polls as clients do, until the job has ended. */
export function waitForEnd(address: string, runId: string): Promise<StatusReply> {
  return waitForStage(address, runId, /^(succeeded|failed|canceled)$/)
}

export async function waitForStage(address: string, runId: string, stage: RegExp): Promise<StatusReply> {
  for (let polls = 0; polls < 1200; polls++) {
    const reply = await fetch(`${address}/api/video/status?requestId=${runId}`)
    const body = (await reply.json()) as StatusReply
    if (stage.test(body.stage)) return body
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`job ${runId} did not come to ${stage}`)
}
