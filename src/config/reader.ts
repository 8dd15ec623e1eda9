import { readFileSync } from 'node:fs'
import { renamedSettings } from './renamed-settings.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** A secret that is set without a value. `isUsed`: another variable has the value. */
type BlankSecret = { name: string; message: string; isUsed: boolean }

export type Reader = ReturnType<typeof createReader>

/**
 * Reads settings from the environment. An invalid value is added to `problems` and replaced by the default, so that one start reports every
 * mistake.
 */
export function createReader(env: Env) {
  const problems: string[] = []
  const warnings: string[] = []
  const readNames = new Set<string>()
  const blankSecrets: BlankSecret[] = []

  const readValue = (name: string): string | undefined => {
    readNames.add(name)
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }

  const text = (name: string): string | undefined => {
    const value = readValue(name)
    const formerName = renamedSettings[name]
    const formerValue = formerName === undefined ? undefined : readValue(formerName)
    if (formerValue === undefined) return value
    warnings.push(
      value === undefined
        ? `${formerName} is deprecated: rename it to ${name}`
        : `${formerName} is ignored, because its new name ${name} is set too: remove ${formerName}`,
    )
    return value ?? formerValue
  }

  return {
    /** What keeps the gateway from starting. */
    problems,
    warnings,
    /** The names of all settings that have been read. */
    readNames,
    blankSecrets,
    text,

    /** A setting that may come from a file instead: `FAL_KEY_FILE` for `FAL_KEY`. */
    secret(name: string): string | undefined {
      const file = text(`${name}_FILE`)
      const value = text(name)
      if (env[`${name}_FILE`] !== undefined && file === undefined)
        blankSecrets.push({
          name,
          message: `${name}_FILE is empty: name a file, or remove it`,
          isUsed: value !== undefined,
        })
      if (file === undefined && isBlank(env[name])) {
        blankSecrets.push({ name, message: `${name} is set but blank`, isUsed: false })
        return undefined
      }
      if (file === undefined) return value
      try {
        const content = readFileSync(file, 'utf8').trim()
        if (content !== '' && !isBlank(content)) return content
        blankSecrets.push({ name, message: `${name}_FILE names a file that is empty`, isUsed: false })
        return undefined
      } catch (cause) {
        const reason = cause instanceof Error && 'code' in cause ? cause.code : 'unknown reason'
        // Without its value: some operators put the secret itself there.
        problems.push(`${name}_FILE names a file that cannot be read (${reason})`)
        return undefined
      }
    },

    choice<const Choices extends readonly string[]>(
      name: string,
      choices: Choices,
      fallback: Choices[number],
    ): Choices[number] {
      const value = text(name)?.toLowerCase()
      if (value === undefined) return fallback
      if (choices.includes(value)) return value
      problems.push(`${name} must be one of ${choices.join(', ')}; it is "${value}"`)
      return fallback
    },

    integer(name: string, fallback: number, min: number, max: number): number {
      const value = text(name)
      if (value === undefined) return fallback
      const parsed = Number(value)
      if (Number.isInteger(parsed) && parsed >= min && parsed <= max) return parsed
      problems.push(`${name} must be a whole number from ${min} to ${max}; it is "${value}"`)
      return fallback
    },

    url(name: string): string | undefined {
      const value = text(name)
      if (value === undefined) return undefined
      if (/^https?:\/\//.test(value) && URL.canParse(value)) return value.replace(/\/+$/, '')
      problems.push(`${name} must be an http(s) address`)
      return undefined
    },
  }
}

/** Some readers of env files keep the quotes of an empty value. */
function isBlank(value: string | undefined): boolean {
  return /^[\s"']+$/.test(value ?? '')
}
