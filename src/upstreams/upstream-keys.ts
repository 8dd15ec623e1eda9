import { createHash } from 'node:crypto'
import type { EndpointMapping, Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import type { Keys } from '../redis/keys.ts'

export type KeyedUpstream = { provider: Provider; mapping: Pick<EndpointMapping, 'host'> }

/**
 * One API key of this process for an upstream. `variables`: the settings that hold it. `redisKey`: where its rejection is stored, by a hash of its
 * value.
 */
export type UpstreamKey = {
  id: string
  provider: ProviderName
  title: string
  variables: readonly string[]
  redisKey: string
}

type Options = {
  keys: Pick<Keys, 'rejectedKey'>
  providers: readonly Provider[]
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
}

/** The API keys that this process has, one for all hosts that share it. */
export function createUpstreamKeys({ keys, providers, upstreams }: Options) {
  const byId = new Map(
    providers.flatMap((provider) =>
      Object.keys(provider.hosts).flatMap((host) => {
        const upstreamKey = readKey(provider, host)
        return upstreamKey === undefined ? [] : [[upstreamKey.id, upstreamKey] as const]
      }),
    ),
  )

  function readKey(provider: Provider, host: string): UpstreamKey | undefined {
    const { name, title } = provider
    const variables = provider.hosts[host]?.credentials ?? []
    const values = variables.map((variable) => upstreams[name].credentials[variable])
    if (values.includes(undefined)) return undefined
    const id = idOf(provider, host)
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([id, values]))
      .digest('hex')
      .slice(0, 16)
    return { id, provider: name, title, variables, redisKey: keys.rejectedKey(name, fingerprint) }
  }

  return {
    all: [...byId.values()],

    /** The key with which an upstream is called. */
    find({ provider, mapping }: KeyedUpstream): UpstreamKey | undefined {
      return byId.get(idOf(provider, mapping.host ?? Object.keys(provider.hosts)[0] ?? ''))
    },
  }
}

/** Equal for hosts that share a key. */
function idOf({ name, hosts }: Provider, host: string): string {
  return `${name} ${(hosts[host]?.credentials ?? []).join(' ')}`
}
