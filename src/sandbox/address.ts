import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'

/**
 * Where the mock upstreams are in calls and records: the same in every process and on every machine, so that any of them can continue a job.
 * RFC 2606 reserves `.invalid`, so no name server resolves it.
 */
export const sandboxOrigin = 'http://sandbox.reelgate.invalid'

/** Links of version 0.1 name the process that made them: `http://127.0.0.1:<port>`. */
const oldOrigin = /^http:\/\/127\.0\.0\.1:\d+(?=\/)/

/** A link of a sandbox job as every process can use it; `undefined`: it leads elsewhere. */
export function toSandboxUrl(link: string): URL | undefined {
  const current = link.replace(oldOrigin, sandboxOrigin)
  const url = URL.canParse(current) ? new URL(current) : undefined
  return url?.origin === sandboxOrigin ? url : undefined
}

/** The configuration with which mock upstreams are called at `origin`. */
export function sandboxUpstreams(
  origin: string,
  providers: readonly Provider[],
  real: Readonly<Record<ProviderName, ProviderConfig>>,
): Record<ProviderName, ProviderConfig> {
  const configs = providers.map((provider): [ProviderName, ProviderConfig] => {
    const hosts = Object.entries(provider.hosts)
    const credentials = hosts.flatMap(([, host]) => host.credentials)
    return [
      provider.name,
      {
        baseUrls: Object.fromEntries(hosts.map(([host]) => [host, origin + pathOf(provider, host)])),
        credentials: Object.fromEntries(credentials.map((name) => [name, 'sandbox'])),
        settings: real[provider.name].settings,
      },
    ]
  })
  return Object.fromEntries(configs) as Record<ProviderName, ProviderConfig>
}

/** A provider with one host is at its name, one with several at its name and the host's. */
export function pathOf({ name, hosts }: Pick<Provider, 'name' | 'hosts'>, host: string): string {
  return Object.keys(hosts).length > 1 ? `/${name}/${host}` : `/${name}`
}
