import Fastify from 'fastify'
import { providers } from '../../providers/index.ts'
import type { Call, EndpointMapping, Order, Outcome, Provider, Reply } from '../../providers/provider.ts'
import type { ProviderConfig } from '../../src/config/provider-settings.ts'
import type { MockContext, MockTask } from '../../src/sandbox/mock-upstream.ts'
import { mockUpstreams } from '../../src/sandbox/upstreams/index.ts'

const origin = 'http://vendors.test'

/** All mock upstreams in this process, called without a network. A task has ended by the time of the next call. */
export async function createMockUpstreams() {
  const app = Fastify({ bodyLimit: 16 * 1024 * 1024 })
  const tasks = new Map<string, MockTask>()
  let now = Date.parse('2026-11-01T00:00:00Z')
  for (const sandbox of mockUpstreams) {
    const provider = providers[sandbox.name]
    const stage: MockContext = {
      tasks: {
        put: async (task) => void tasks.set(task.id, task),
        get: async (id) => tasks.get(id),
        list: async () => [...tasks.values()],
      },
      baseUrl: (host) => baseUrlOf(provider, host),
      videoUrl: (name) => `${origin}/videos/${name}.mp4`,
      now: () => now,
      renderMs: 1,
    }
    await app.register(async (scope) => sandbox.mount(scope, stage), { prefix: `/${sandbox.name}` })
  }
  await app.ready()

  async function send(provider: Provider, call: Call): Promise<Reply> {
    const hostName = call.host ?? Object.keys(provider.hosts)[0] ?? ''
    const host = provider.hosts[hostName]
    const baseUrl = baseUrlOf(provider, hostName)
    const url = new URL(baseUrl + call.path)
    const form = call.form === undefined ? undefined : new URLSearchParams(call.form).toString()
    const body = form ?? (call.json === undefined ? '' : JSON.stringify(call.json))
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    const headers = {
      ...(body !== '' && { 'content-type': type }),
      ...host?.sign({ method: call.method, url, headers: {}, body }, credentialsOf(provider), new Date(now)),
    }
    const path = url.pathname + url.search
    const answer = await app.inject({
      method: call.method,
      url: path,
      headers,
      ...(body !== '' && { payload: body }),
    })
    return { status: answer.statusCode, headers: {}, body: parse(answer.body), baseUrl }
  }

  return {
    close: () => app.close(),
    /** What becomes of an order. FAL takes any input and checks it when its turn comes; the others say so at once. */
    async order(provider: Provider, mapping: EndpointMapping, order: Order): Promise<Outcome> {
      let outcome = provider.accept(await send(provider, provider.submit(mapping, order)), order)
      now += 1000
      const mostPolls = provider.name === 'fal' ? 2 : 0
      for (let polls = 0; outcome.kind === 'running' && polls < mostPolls; polls += 1) {
        outcome = provider.read(await send(provider, provider.poll(outcome.ticket)), outcome.ticket)
      }
      return outcome
    },
  }
}

function baseUrlOf(provider: Provider, host: string): string {
  const several = Object.keys(provider.hosts).length > 1
  return `${origin}/${provider.name}${several ? `/${host}` : ''}`
}

function credentialsOf(provider: Provider): Readonly<Record<string, string>> {
  const names = Object.values(provider.hosts).flatMap(({ credentials }) => credentials)
  return Object.fromEntries(names.map((name) => [name, 'fake-key']))
}

/** The configuration of a gateway that has the keys of these providers, and of no other one. */
export function configOf(
  keyed: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Record<string, ProviderConfig> {
  return Object.fromEntries(
    Object.values(providers).map((provider) => {
      const defaults = Object.entries(provider.settings ?? {}).map(([name, setting]) => [
        name,
        setting.default,
      ])
      const hosts = Object.keys(provider.hosts).map((host) => [host, baseUrlOf(provider, host)])
      const config = {
        baseUrls: Object.fromEntries(hosts),
        credentials: keyed.includes(provider.name) ? credentialsOf(provider) : {},
        settings: { ...Object.fromEntries(defaults), ...settings },
      }
      return [provider.name, config]
    }),
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
