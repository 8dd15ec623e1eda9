import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { sandbox } from '../../providers/fal/sandbox.ts'
import type { SandboxStage, SandboxTask } from '../../providers/sandbox.ts'

/** FAL's stand-in on loopback, with its two hosts under two prefixes; its clock moves by hand. */
export async function openFal() {
  const tasks = new Map<string, SandboxTask>()
  const operations = new Map<string, string | undefined>()
  const clock = { now: Date.parse('2026-11-01T00:00:00Z') }
  const app = Fastify()
  app.addHook(
    'onRoute',
    ({ method, url, config }) => void operations.set(`${method} ${url}`, config?.operation),
  )
  const origin = () => `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const stage: SandboxStage = {
    tasks: {
      put: async (task) => void tasks.set(task.id, task),
      get: async (id) => tasks.get(id),
      list: async () => [...tasks.values()],
    },
    baseUrl: (host) => `${origin()}/fal/${host}`,
    videoUrl: (name) => `${origin()}/videos/${name}.mp4`,
    now: () => clock.now,
    renderMs: 1000,
  }
  await app.register(async (scope) => sandbox.mount(scope, stage), { prefix: '/fal' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    tasks,
    stage,
    operations,
    /** Lets so much of a render pass. */
    wait: (share: number) => {
      clock.now += share * stage.renderMs
    },
    [Symbol.asyncDispose]: async () => {
      await app.close()
    },
  }
}
