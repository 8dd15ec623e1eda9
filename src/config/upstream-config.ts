import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from './config.ts'

/**
 * Upstreams of which some variables are set and others that they need are not, one line for each host. Names variables, never their values.
 */
export function findIncompleteUpstreams(
  providers: readonly Provider[],
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>,
): string[] {
  const lines = providers.flatMap(({ name, title, hosts }) => {
    const { baseUrls, credentials } = upstreams[name]
    return Object.entries(hosts).flatMap(([hostName, host]) => {
      // An address that has a default tells nothing of what the operator wants.
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
