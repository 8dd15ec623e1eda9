/** The credentials of a URL: `redis://user:password@host`. The length of the scheme is bounded, because `a.a.a.` would take quadratic time. */
const urlCredentials = /(\b[a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#"'@]*@/gi
/** Our own API keys and those of several upstreams. */
const keyPattern = /\bsk-[\w-]{8,}/g
/** Errors of Redis repeat the arguments of unknown commands. */
const repeatedArguments = /(,? with args beginning with:).*/s

/** Shorter values are placeholders; removing them would damage ordinary words. */
const minSecretLength = 8

/** Removes the values of `secrets`, and texts that look like secrets. */
export function createRedactor(secrets: readonly string[] = []): (text: string) => string {
  const secretForms = [
    ...new Set(
      secrets
        .filter((secret) => secret.length >= minSecretLength)
        // As encoded in a URL and in JSON.
        .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]),
    ),
  ].sort((left, right) => right.length - left.length)
  return (text) =>
    secretForms
      .reduce((redacted, value) => redacted.replaceAll(value, '[redacted]'), text)
      .replace(urlCredentials, '$1[redacted]@')
      .replace(keyPattern, '[redacted]')
}

/** Removes the arguments of a command from an error message of Redis. */
export function redactRedisArguments(message: string): string {
  return message.replace(repeatedArguments, '$1 [redacted]')
}
