import type { Provider } from '../../providers/provider.ts'
import { findMisnamedSettings } from './misnamed-settings.ts'

type Env = Readonly<Record<string, string | undefined>>

type ReviewInput = {
  /** Of every setting that was read. */
  readNames: ReadonlySet<string>
  /** Secrets that are set and hold nothing; `isUsed`: another variable has the value. */
  blankSecrets: readonly { name: string; message: string; isUsed: boolean }[]
  /** What keeps the gateway from starting; added to. */
  problems: string[]
  isProduction: boolean
  sandbox: 'auto' | 'on' | 'off'
  hasUpstreamKey: boolean
}

/**
 * Mistakes that would start the sandbox, or leave an upstream out, without a word. In production they are problems. No message holds a value. Called
 * after everything has been read.
 */
export function reviewEnvironment(
  env: Env,
  providers: readonly Provider[],
  { readNames, blankSecrets, problems, isProduction, sandbox, hasUpstreamKey }: ReviewInput,
): readonly string[] {
  const warnings: string[] = []
  const addProblem = (message: string, isProblem: boolean) =>
    (isProduction && isProblem ? problems : warnings).push(message)

  const hosts = providers.flatMap((provider) => Object.values(provider.hosts))
  const credentials = [...new Set(hosts.flatMap((host) => host.credentials))]
  const knownNames = new Set([...readNames, 'NODE_ENV'])
  for (const { name, suggestion, isKey } of findMisnamedSettings(env, knownNames, credentials)) {
    const isMissing = isKey && !isSet(env, suggestion)
    if (!isKey && isSet(env, suggestion)) continue
    const advice = 'rename or remove it, or set SANDBOX=on or SANDBOX=off if it is not meant for Reelgate'
    const message = `${name} is not a setting of Reelgate; did you mean ${suggestion}?`
    addProblem(isMissing ? `${message} If so, ${advice}` : message, isMissing && sandbox === 'auto')
  }

  for (const { name, message, isUsed } of blankSecrets) {
    // docker-compose.yml empties REDIS_URL_FILE, and sets REDIS_URL.
    if (!isUsed || credentials.includes(name)) addProblem(message, !isUsed)
  }

  const emptyCredentials = credentials.filter((name) => env[name] === '')
  const fallsBackToSandbox = sandbox === 'auto' && !hasUpstreamKey
  // A copy of .env.example holds every key, empty.
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
