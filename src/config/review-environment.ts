import type { Provider } from '../../providers/provider.ts'
import { findMisnamedSettings } from './misnamed-settings.ts'
import type { Env, Reader } from './reader.ts'
import { currentSettingName } from './renamed-settings.ts'

type ReviewInput = {
  /** After every setting has been read. */
  read: Pick<Reader, 'readNames' | 'blankSecrets' | 'problems' | 'warnings'>
  isProduction: boolean
  sandbox: 'auto' | 'on' | 'off'
  hasUpstreamKey: boolean
}

/**
 * Finds mistakes that would silently start the sandbox or leave an upstream out. In production, these are added to the problems; other mistakes are
 * returned as warnings. No message contains a value.
 */
export function reviewEnvironment(
  env: Env,
  providers: readonly Provider[],
  {
    read: { readNames, blankSecrets, problems, warnings: readWarnings },
    isProduction,
    sandbox,
    hasUpstreamKey,
  }: ReviewInput,
): readonly string[] {
  const warnings = [...readWarnings]
  const addProblem = (message: string, isProblem: boolean) =>
    (isProduction && isProblem ? problems : warnings).push(message)

  const hosts = providers.flatMap((provider) => Object.values(provider.hosts))
  const credentials = [...new Set(hosts.flatMap((host) => host.credentials))]
  const knownNames = new Set([...readNames, 'NODE_ENV'])
  for (const { name, suggestion: similarName, isKey } of findMisnamedSettings(env, knownNames, credentials)) {
    const suggestion = currentSettingName(similarName)
    const isMissing = isKey && !isSet(env, suggestion)
    if (!isKey && isSet(env, suggestion)) continue
    const advice = 'rename or remove it, or set SANDBOX=on or SANDBOX=off if it is not meant for Reelgate'
    const message = `${name} is not a setting of Reelgate; did you mean ${suggestion}?`
    addProblem(isMissing ? `${message} If so, ${advice}` : message, isMissing && sandbox === 'auto')
  }

  for (const { name, message, isUsed } of blankSecrets) {
    // docker-compose.yml sets REDIS_URL, and REDIS_URL_FILE to an empty value.
    if (!isUsed || credentials.includes(name)) addProblem(message, !isUsed)
  }

  const emptyCredentials = credentials.filter((name) => env[name] === '')
  const fallsBackToSandbox = sandbox === 'auto' && !hasUpstreamKey
  // A copy of .env.example has every key, empty.
  if (fallsBackToSandbox && emptyCredentials.length > 0 && emptyCredentials.length <= credentials.length / 2)
    addProblem(
      `${emptyCredentials.join(', ')}: set but empty, and no other upstream key is set. Set a key, or SANDBOX=on for the sandbox`,
      true,
    )
  else if (fallsBackToSandbox && isProduction)
    warnings.push('No upstream key is set: mock upstreams render all jobs. Set a key, or SANDBOX=on')
  return warnings
}

function isSet(env: Env, setting: string): boolean {
  const name = setting.replace(/_FILE$/, '')
  return [name, `${name}_FILE`].some((variable) => (env[variable]?.trim() ?? '') !== '')
}
