import { readFile } from 'node:fs/promises'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config.ts'
import { pathOf, sandboxUpstreams } from './address.ts'
import { createCallbacks } from './callbacks.ts'
import { after, before, createTroubles, type Trouble } from './fault.ts'
import type { Sandbox, SandboxStage, SandboxTask, SandboxTasks } from './mock-upstream.ts'

/** Tasks are kept this long after the last one was made. */
const keepSeconds = 86_400

type Struck = FastifyRequest & { trouble?: Omit<Trouble, 'provider' | 'operation' | 'times'> }

export type SandboxHost = {
  /** Where this process listens. */
  address: string
  /** The configuration with which the gateway asks the stand-ins instead of the real upstreams. */
  upstreams: Record<ProviderName, ProviderConfig>
  arm(trouble: Trouble): void
  disarm(provider: string): void
  left(provider: string): number
  tasks(provider: ProviderName): Promise<readonly SandboxTask[]>
  close(): Promise<void>
}

export type SandboxOptions = {
  sandboxes: readonly Sandbox[]
  providers: readonly Provider[]
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  redis: Redis
  prefix: string
  renderMs: number
  /** Begins every link that the mock upstreams give out; absent: where they listen. */
  origin?: string
  /** Unix ms; with several machines, the same clock for all of them. */
  now?: () => number
}

/** Hosts the mock upstreams on loopback. Their tasks are in Redis, so every process has all of them. */
export async function startSandbox({
  sandboxes,
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
  const troubles = createTroubles({ redis, prefix })
  const callbacks = createCallbacks({ redis, prefix, now, keepSeconds })
  let origin = ''

  await app.register(async (scope) => {
    strikeWith(scope, { name: 'video' }, troubles)
    scope.get('/video/:name', { config: { operation: 'fetch' } }, async (_, reply) =>
      reply.type('video/mp4').send(video),
    )
  })

  const createTasks = (provider: ProviderName) =>
    tasksOf({
      redis,
      key: `${prefix}sandbox:${provider}`,
      added: (task) => callbacks.schedule(task, renderMs),
    })

  for (const sandbox of sandboxes) {
    const provider = providers.find(({ name }) => name === sandbox.name)
    const stage: SandboxStage = {
      tasks: createTasks(sandbox.name),
      baseUrl: (host) => origin + pathOf(provider ?? { name: sandbox.name, hosts: {} }, host),
      videoUrl: (name) => `${origin}/video/${encodeURIComponent(name)}.mp4`,
      now,
      renderMs,
    }
    await app.register(
      async (scope) => {
        strikeWith(scope, sandbox, troubles)
        sandbox.mount(scope, stage)
      },
      { prefix: `/${sandbox.name}` },
    )
  }
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  origin = fixedOrigin ?? address

  return {
    address,
    upstreams: sandboxUpstreams(origin, providers, upstreams),
    arm: troubles.arm,
    disarm: troubles.disarm,
    left: troubles.left,
    tasks: (provider) => createTasks(provider).list(),
    close: () => app.close(),
  }
}

function strikeWith(
  scope: FastifyInstance,
  sandbox: { name: string; operationOf?: Sandbox['operationOf'] },
  troubles: ReturnType<typeof createTroubles>,
): void {
  scope.addHook('preHandler', async (request: Struck, reply) => {
    const operation = sandbox.operationOf?.(request.body) ?? request.routeOptions.config.operation
    if (operation === undefined) return
    const asked = operation === 'submit' ? await troubles.asked(sandbox.name, request.body) : undefined
    const trouble = troubles.strike(sandbox.name, operation) ?? asked
    if (trouble === undefined) return
    if (await before(trouble, reply)) return reply
    request.trouble = trouble
  })
  scope.addHook('onSend', async (request: Struck, reply, payload) =>
    request.trouble === undefined ? payload : after(request.trouble, reply, payload),
  )
}

/** No task has to remember the megabytes of a file that came inside its body. */
const longestKept = 16_384

function withoutBulk(_: string, value: unknown): unknown {
  const long = typeof value === 'string' && value.length > longestKept
  return long ? `${value.slice(0, 64)}… (${value.length} characters)` : value
}

type TasksOptions = {
  redis: Redis
  key: string
  /** Called once for each task. */
  added(task: SandboxTask): Promise<void>
}

function tasksOf({ redis, key, added }: TasksOptions): SandboxTasks {
  return {
    async put(task) {
      const entry = JSON.stringify(task, withoutBulk)
      const isNew = (await redis.hsetnx(key, task.id, entry)) === 1
      await redis.expire(key, keepSeconds)
      if (isNew) await added(task)
      else await redis.hset(key, task.id, entry)
    },
    async get(id) {
      const found = await redis.hget(key, id)
      return found === null ? undefined : (JSON.parse(found) as SandboxTask)
    },
    async list() {
      return Object.values(await redis.hgetall(key)).map((task) => JSON.parse(task) as SandboxTask)
    },
  }
}
