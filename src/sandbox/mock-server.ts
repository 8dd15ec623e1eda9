import { readFile } from 'node:fs/promises'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import { pathOf, sandboxUpstreams } from './address.ts'
import { createCallbacks } from './callbacks.ts'
import {
  applyAfterCall,
  applyBeforeCall,
  createFaultInjector,
  type FaultBehavior,
  type InjectedFault,
} from './fault-injection.ts'
import type { MockContext, MockTask, MockTasks, MockUpstream } from './mock-upstream.ts'

/** Tasks expire this long after the last one was created. */
const taskTtlSeconds = 86_400

type FaultyRequest = FastifyRequest & { fault?: FaultBehavior }

export type SandboxHost = {
  /** Where this process listens. */
  address: string
  /** The configuration with which the gateway calls the mock upstreams instead of the real ones. */
  upstreams: Record<ProviderName, ProviderConfig>
  injectFault(fault: InjectedFault): void
  clearFaults(provider: string): void
  countPending(provider: string): number
  tasks(provider: ProviderName): Promise<readonly MockTask[]>
  close(): Promise<void>
}

export type SandboxOptions = {
  mocks: readonly MockUpstream[]
  providers: readonly Provider[]
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  redis: Redis
  prefix: string
  renderMs: number
  /** The origin of every link in the replies of mock upstreams; absent: where they listen. */
  origin?: string
  /** Unix ms; with several machines, the same clock for all of them. */
  now?: () => number
}

/** Hosts the mock upstreams on loopback. Their tasks are in Redis, so every process has all of them. */
export async function startSandbox({
  mocks,
  providers,
  upstreams,
  redis,
  prefix,
  renderMs,
  origin: fixedOrigin,
  now = Date.now,
}: SandboxOptions): Promise<SandboxHost> {
  const app = Fastify({ bodyLimit: 256 * 1024 * 1024, forceCloseConnections: true })
  const video = await readFile(new URL('./sample.mp4', import.meta.url))
  const faultInjector = createFaultInjector({ redis, prefix })
  const callbacks = createCallbacks({ redis, prefix, now, keepSeconds: taskTtlSeconds })
  let origin = ''

  await app.register(async (scope) => {
    injectFaultsInto(scope, { name: 'video' }, faultInjector)
    scope.get('/video/:name', { config: { operation: 'fetch' } }, async (_, reply) =>
      reply.type('video/mp4').send(video),
    )
  })

  const tasksFor = (provider: ProviderName) =>
    createTasks({
      redis,
      key: `${prefix}sandbox:${provider}`,
      onCreate: (task) => callbacks.schedule(task, renderMs),
    })

  for (const mock of mocks) {
    const provider = providers.find(({ name }) => name === mock.name)
    const context: MockContext = {
      tasks: tasksFor(mock.name),
      baseUrl: (host) => origin + pathOf(provider ?? { name: mock.name, hosts: {} }, host),
      videoUrl: (name) => `${origin}/video/${encodeURIComponent(name)}.mp4`,
      now,
      renderMs,
    }
    await app.register(
      async (scope) => {
        injectFaultsInto(scope, mock, faultInjector)
        mock.mount(scope, context)
      },
      { prefix: `/${mock.name}` },
    )
  }
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  origin = fixedOrigin ?? address

  return {
    address,
    upstreams: sandboxUpstreams(origin, providers, upstreams),
    injectFault: faultInjector.injectFault,
    clearFaults: faultInjector.clearFaults,
    countPending: faultInjector.countPending,
    tasks: (provider) => tasksFor(provider).list(),
    close: () => app.close(),
  }
}

function injectFaultsInto(
  scope: FastifyInstance,
  mock: { name: string; operationOf?: MockUpstream['operationOf'] },
  faultInjector: ReturnType<typeof createFaultInjector>,
): void {
  scope.addHook('preHandler', async (request: FaultyRequest, reply) => {
    const operation = mock.operationOf?.(request.body) ?? request.routeOptions.config.operation
    if (operation === undefined) return
    const fromPrompt =
      operation === 'submit' ? await faultInjector.fromPrompt(mock.name, request.body) : undefined
    const fault = faultInjector.take(mock.name, operation) ?? fromPrompt
    if (fault === undefined) return
    if (await applyBeforeCall(fault, reply)) return reply
    request.fault = fault
  })
  scope.addHook('onSend', async (request: FaultyRequest, reply, payload) =>
    request.fault === undefined ? payload : applyAfterCall(request.fault, reply, payload),
  )
}

/** A task does not store the megabytes of a file inside its body. */
const longestStoredText = 16_384

function shortenTexts(_: string, value: unknown): unknown {
  const isLong = typeof value === 'string' && value.length > longestStoredText
  return isLong ? `${value.slice(0, 64)}… (${value.length} characters)` : value
}

type TasksOptions = {
  redis: Redis
  key: string
  /** Called once for each task. */
  onCreate(task: MockTask): Promise<void>
}

function createTasks({ redis, key, onCreate: added }: TasksOptions): MockTasks {
  return {
    async put(task) {
      const entry = JSON.stringify(task, shortenTexts)
      const isNew = (await redis.hsetnx(key, task.id, entry)) === 1
      await redis.expire(key, taskTtlSeconds)
      if (isNew) await added(task)
      else await redis.hset(key, task.id, entry)
    },
    async get(id) {
      const task = await redis.hget(key, id)
      return task === null ? undefined : (JSON.parse(task) as MockTask)
    },
    async list() {
      return Object.values(await redis.hgetall(key)).map((task) => JSON.parse(task) as MockTask)
    },
  }
}
