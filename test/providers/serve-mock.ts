import type { TestContext } from 'node:test'
import Fastify from 'fastify'
import type { Provider } from '../../providers/provider.ts'
import type { MockContext, MockTask, MockUpstream } from '../../src/sandbox/mock-upstream.ts'

/**
 * A provider's mock on loopback; its clock moves by hand, and by `tick` with each look at a task; a render takes 1000 ms.
 * A provider with several hosts has each under a prefix of its own.
 */
export async function serveMock(t: TestContext, sandbox: MockUpstream, provider: Provider) {
  const tasks = new Map<string, MockTask>()
  const operations = new Map<string, string | undefined>()
  const clock = { now: Date.parse('2026-11-01T00:00:00Z'), tick: 0 }
  // A client's connection that still waits for something must not keep the test waiting too.
  const app = Fastify({ forceCloseConnections: true })
  app.addHook('onRoute', ({ method, url, config }) => {
    operations.set(`${method} ${url}`, config?.operation)
  })
  const prefix = `/${sandbox.name}`
  const several = Object.keys(provider.hosts).length > 1
  let origin = ''
  const stage: MockContext = {
    tasks: {
      put: async (task) => void tasks.set(task.id, task),
      async get(id) {
        clock.now += clock.tick
        return tasks.get(id)
      },
      list: async () => [...tasks.values()],
    },
    baseUrl: (host) => `${origin}${prefix}${several ? `/${host}` : ''}`,
    videoUrl: (name) => `${origin}/videos/${name}.mp4`,
    now: () => clock.now,
    renderMs: 1000,
  }
  await app.register(async (scope) => sandbox.mount(scope, stage), { prefix })
  origin = await app.listen({ host: '127.0.0.1', port: 0 })
  // A test that failed before it could close its mock must not keep the process alive.
  app.server.unref()
  t.after(() => app.close())
  return { origin, baseUrl: stage.baseUrl, clock, tasks, operations }
}
