import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Input } from '../../providers/input.ts'
import type { Call, Outcome, Provider, Reply, TaskReference } from '../../providers/provider.ts'
import type { MockUpstream } from '../../src/sandbox/mock-upstream.ts'
import { createTransport } from '../../src/upstreams/transport.ts'
import { orderFor } from './fixtures.ts'
import { serveMock } from './serve-mock.ts'

type Changes = {
  credentials?: Readonly<Record<string, string>>
  settings?: Readonly<Record<string, string>>
}

/** A provider's mock, asked through the gateway's own transport. */
export async function startMock(
  t: TestContext,
  sandbox: MockUpstream,
  provider: Provider,
  changes: Changes = {},
) {
  const { origin, baseUrl, clock, tasks } = await serveMock(t, sandbox, provider)
  const transport = createTransport({ timeoutMs: 5000 })
  t.after(() => transport.close())

  const { settings } = orderFor(
    provider,
    {},
    changes.settings === undefined ? {} : { settings: changes.settings },
  )
  const hosts = Object.entries(provider.hosts)
  const secrets = hosts.flatMap(([, { credentials }]) => credentials.map((name) => [name, 'fake-key']))
  const config = {
    baseUrls: Object.fromEntries(hosts.map(([name]) => [name, baseUrl(name)])),
    credentials: changes.credentials ?? Object.fromEntries(secrets),
    settings,
  }

  async function send(call: Call): Promise<Reply> {
    const sent = await transport.send(provider, config, call)
    assert.equal(sent.kind, 'reply', JSON.stringify(sent))
    return sent.kind === 'reply' ? sent.reply : assert.fail()
  }

  return {
    clock,
    tasks,
    origin,
    send,
    async submit(model: string, input: Input): Promise<Outcome> {
      const mapping = provider.models[model]
      assert(mapping !== undefined)
      const order = { ...orderFor(provider, input), settings }
      return provider.accept(await send(provider.submit(mapping, order)), order)
    },
    look: async (ticket: TaskReference): Promise<Outcome> =>
      provider.read(await send(provider.poll(ticket)), ticket),
  }
}

export function ticketOf(outcome: Outcome): TaskReference {
  assert.equal(outcome.kind, 'running', JSON.stringify(outcome))
  return outcome.kind === 'running' ? outcome.ticket : assert.fail()
}

export function faultOf(outcome: Outcome): [kind: string, code: string] {
  return 'fault' in outcome ? [outcome.kind, outcome.fault.code] : assert.fail(JSON.stringify(outcome))
}
