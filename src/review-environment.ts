import type { Provider } from '../providers/provider.ts'
import { findMisnamed } from './misnamed-settings.ts'

type Env = Readonly<Record<string, string | undefined>>

type Review = {
  /** Of every setting that was read. */
  names: ReadonlySet<string>
  /** Secrets that are set and hold nothing; `isUsed`: another variable has the value. */
  blanks: readonly { name: string; message: string; isUsed: boolean }[]
  /** What keeps the gateway from starting; added to. */
  problems: string[]
  isProduction: boolean
  sandbox: 'auto' | 'on' | 'off'
  anyKey: boolean
}

/**
 * Mistakes that would start the sandbox, or leave an upstream out, without a word. In production they are problems. No message holds a value. Called
 * after everything has been read.
 */
export function reviewEnvironment(
  env: Env,
  providers: readonly Provider[],
  { names, blanks, problems, isProduction, sandbox, anyKey }: Review,
): readonly string[] {
  const warnings: string[] = []
  const report = (message: string, isProblem: boolean) =>
    (isProduction && isProblem ? problems : warnings).push(message)

  const hosts = providers.flatMap((provider) => Object.values(provider.hosts))
  const credentials = [...new Set(hosts.flatMap((host) => host.credentials))]
  const known = new Set([...names, 'NODE_ENV'])
  for (const { name, meant, isKey } of findMisnamed(env, known, credentials)) {
    const isMissing = isKey && !isSet(env, meant)
    if (!isKey && isSet(env, meant)) continue
    const advice = 'rename or remove it, or set SANDBOX=on or SANDBOX=off if it is not meant for Reelgate'
    const message = `${name} is not a setting of Reelgate; did you mean ${meant}?`
    report(isMissing ? `${message} If so, ${advice}` : message, isMissing && sandbox === 'auto')
  }

  for (const { name, message, isUsed } of blanks) {
    // docker-compose.yml empties REDIS_URL_FILE, and sets REDIS_URL.
    if (!isUsed || credentials.includes(name)) report(message, !isUsed)
  }

  const empty = credentials.filter((name) => env[name] === '')
  const fallsBack = sandbox === 'auto' && !anyKey
  // A copy of .env.example holds every key, empty.
  if (fallsBack && empty.length > 0 && empty.length <= credentials.length / 2)
    report(
      `${empty.join(', ')}: set but empty, and no other upstream key is set. Set a key, or SANDBOX=on for the sandbox`,
      true,
    )
  else if (fallsBack && isProduction)
    warnings.push('No upstream key is set: mock upstreams render all jobs. Set a key, or SANDBOX=on')
  return warnings
}

function isSet(env: Env, setting: string): boolean {
  const name = setting.replace(/_FILE$/, '')
  return [name, `${name}_FILE`].some((variable) => (env[variable]?.trim() ?? '') !== '')
}
