/** The part of an address that proves who calls: `redis://user:password@host`. Schemes are short; without a bound, `a.a.a.` takes its length squared. */
const urlCredentials = /(\b[a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#"'@]*@/gi
/** Our own API keys and those of several upstreams. */
const keyPattern = /\bsk-[\w-]{8,}/g
/** Redis repeats the arguments of a command that it does not know. */
const repeatedArguments = /(,? with args beginning with:).*/s

/** Shorter values are dummies; removing them would tear up ordinary words. */
const minSecretLength = 8

/** Removes what is, or looks like, a secret. `secrets` are values that are known to be secret. */
export function createRedactor(secrets: readonly string[] = []): (text: string) => string {
  const secretForms = [
    ...new Set(
      secrets
        .filter((secret) => secret.length >= minSecretLength)
        // As it stands in an address, and inside a line of JSON.
        .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]),
    ),
  ].sort((left, right) => right.length - left.length)
  return (text) =>
    secretForms
      .reduce((redacted, value) => redacted.replaceAll(value, '[redacted]'), text)
      .replace(urlCredentials, '$1[redacted]@')
      .replace(keyPattern, '[redacted]')
}

/** The message of an error without what Redis repeats of a command. */
export function redactRedisArguments(message: string): string {
  return message.replace(repeatedArguments, '$1 [redacted]')
}
