import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { Reader } from './reader.ts'

export type ProviderConfig = {
  /** Host name -> base URL. Absent: the host has no default, and none is set. */
  baseUrls: Readonly<Record<string, string | undefined>>
  /** The credential variables that are set: name -> value. */
  credentials: Readonly<Record<string, string>>
  settings: Readonly<Record<string, string>>
  /** A mock upstream: no call leaves this machine. */
  sandbox?: true
}

export function readProviderConfig(provider: Provider, read: Reader): ProviderConfig {
  const hostEntries = Object.entries(provider.hosts)
  const credentialNames = new Set(hostEntries.flatMap(([, { credentials }]) => credentials))
  const credentials: Record<string, string> = {}
  for (const name of credentialNames) {
    const value = read.secret(name)
    if (value !== undefined) credentials[name] = value
  }
  return {
    baseUrls: Object.fromEntries(
      hostEntries.map(([name, host]) => [name, read.url(host.baseUrlVariable) ?? host.baseUrl]),
    ),
    credentials,
    settings: Object.fromEntries(
      Object.entries(provider.settings ?? {}).map(([name, setting]) => [
        name,
        setting.choices === undefined
          ? (read.text(name) ?? setting.default)
          : read.choice(name, setting.choices, setting.default),
      ]),
    ),
  }
}

/** Hosts of upstreams for which only some of the required variables are set, one line each. Contains names of variables, never values. */
export function findIncompleteUpstreams(
  providers: readonly Provider[],
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>,
): string[] {
  const lines = providers.flatMap(({ name, title, hosts }) => {
    const { baseUrls, credentials } = upstreams[name]
    return Object.entries(hosts).flatMap(([hostName, host]) => {
      // A base URL with a default does not show that the operator wants to use the host.
      const neededVariables = [
        ...(host.baseUrl === undefined ? [host.baseUrlVariable] : []),
        ...host.credentials,
      ]
      const isSet = (variable: string) =>
        credentials[variable] !== undefined ||
        (variable === host.baseUrlVariable && baseUrls[hostName] !== undefined)
      const setVariables = neededVariables.filter(isSet)
      const missingVariables = neededVariables.filter((variable) => !isSet(variable))
      if (setVariables.length === 0 || missingVariables.length === 0) return []
      return [`${title}: ${joinNames(setVariables)} set, ${joinNames(missingVariables)} missing`]
    })
  })
  return [...new Set(lines)]
}

function joinNames(variables: readonly string[]): string {
  return `${variables.join(' and ')} ${variables.length === 1 ? 'is' : 'are'}`
}
