import { readFile } from 'node:fs/promises'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'
import { request } from 'undici'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { Sandbox, SandboxStage, SandboxTask, SandboxTasks } from '../../providers/sandbox.ts'
import type { ProviderConfig } from '../config.ts'
import { after, before, createTroubles, type Trouble } from './fault.ts'

/** Tasks are kept this long after the last one was made. */
const keepSeconds = 86_400

type Struck = FastifyRequest & { trouble?: Omit<Trouble, 'provider' | 'operation' | 'times'> }

export type SandboxHost = {
  origin: string
  /** The configuration with which the gateway asks the stand-ins instead of the real upstreams. */
  upstreams: Record<ProviderName, ProviderConfig>
  arm(trouble: Trouble): void
  disarm(provider: string): void
  left(provider: string): number
  tasks(provider: ProviderName): Promise<readonly SandboxTask[]>
  close(): Promise<void>
}

type Parts = {
  sandboxes: readonly Sandbox[]
  providers: readonly Provider[]
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  redis: Redis
  prefix: string
  renderMs: number
}

/** Hosts the stand-in upstreams on loopback. Their tasks live in Redis, so that they outlive this process. */
export async function startSandbox({
  sandboxes,
  providers,
  upstreams,
  redis,
  prefix,
  renderMs,
}: Parts): Promise<SandboxHost> {
  const app = Fastify({ bodyLimit: 256 * 1024 * 1024, forceCloseConnections: true })
  const video = await readFile(new URL('./sample.mp4', import.meta.url))
  const troubles = createTroubles()
  let origin = ''

  await app.register(async (scope) => {
    strikeWith(scope, { name: 'video' }, troubles)
    scope.get('/video/:name', { config: { operation: 'fetch' } }, async (_, reply) =>
      reply.type('video/mp4').send(video),
    )
  })

  for (const sandbox of sandboxes) {
    const provider = providers.find(({ name }) => name === sandbox.name)
    const stage: SandboxStage = {
      tasks: callingBack(tasksOf(redis, prefix, sandbox.name), renderMs),
      baseUrl: (host) => `${origin}${pathOf(sandbox.name, host, provider)}`,
      videoUrl: (name) => `${origin}/video/${encodeURIComponent(name)}.mp4`,
      now: Date.now,
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
  origin = await app.listen({ host: '127.0.0.1', port: 0 })

  return {
    origin,
    upstreams: Object.fromEntries(
      providers.map((provider) => [
        provider.name,
        {
          baseUrls: Object.fromEntries(
            Object.keys(provider.hosts).map((host) => [host, origin + pathOf(provider.name, host, provider)]),
          ),
          credentials: Object.fromEntries(
            Object.values(provider.hosts).flatMap(({ credentials }) =>
              credentials.map((name) => [name, 'sandbox']),
            ),
          ),
          settings: upstreams[provider.name].settings,
        },
      ]),
    ) as Record<ProviderName, ProviderConfig>,
    arm: troubles.arm,
    disarm: troubles.disarm,
    left: troubles.left,
    tasks: (provider) => tasksOf(redis, prefix, provider).list(),
    close: () => app.close(),
  }
}

/** A provider with one host is reached at its name, one with several at its name and the host's. */
function pathOf(name: ProviderName, host: string, provider: Provider | undefined): string {
  return Object.keys(provider?.hosts ?? {}).length > 1 ? `/${name}/${host}` : `/${name}`
}

function strikeWith(
  scope: FastifyInstance,
  sandbox: { name: string; operationOf?: Sandbox['operationOf'] },
  troubles: ReturnType<typeof createTroubles>,
): void {
  scope.addHook('preHandler', async (request: Struck, reply) => {
    const operation = sandbox.operationOf?.(request.body) ?? request.routeOptions.config.operation
    if (operation === undefined) return
    const asked = operation === 'submit' ? troubles.asked(sandbox.name, request.body) : undefined
    const trouble = troubles.strike(sandbox.name, operation) ?? asked
    if (trouble === undefined) return
    if (await before(trouble, reply)) return reply
    request.trouble = trouble
  })
  scope.addHook('onSend', async (request: Struck, reply, payload) =>
    request.trouble === undefined ? payload : after(request.trouble, reply, payload),
  )
}

/** Calls the hook of a task when it is done. The body holds the task's id as every upstream spells it: the hook is a hint and no more. */
function callingBack(tasks: SandboxTasks, renderMs: number): SandboxTasks {
  return {
    ...tasks,
    async put(task) {
      const known = await tasks.get(task.id)
      await tasks.put(task)
      if (task.hook === undefined || known !== undefined) return
      const body = {
        id: task.id,
        request_id: task.id,
        taskUUID: task.id,
        state: task.body.state,
        status: 'done',
      }
      const call = () =>
        request(task.hook ?? '', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      setTimeout(
        () =>
          void call().then(
            (answer) => answer.body.dump(),
            () => undefined,
          ),
        renderMs,
      ).unref()
    },
  }
}

/** No task has to remember the megabytes of a file that came inside its body. */
const longestKept = 16_384

function withoutBulk(_: string, value: unknown): unknown {
  const long = typeof value === 'string' && value.length > longestKept
  return long ? `${value.slice(0, 64)}… (${value.length} characters)` : value
}

function tasksOf(redis: Redis, prefix: string, provider: string): SandboxTasks {
  const key = `${prefix}sandbox:${provider}`
  return {
    async put(task) {
      await redis
        .multi()
        .hset(key, task.id, JSON.stringify(task, withoutBulk))
        .expire(key, keepSeconds)
        .exec()
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
