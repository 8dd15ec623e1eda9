import type { Dispatcher } from 'undici'
import type { Reply } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'

/** The largest reply that is read; every real one is a few kilobytes. */
const replyLimitBytes = 4 * 1024 * 1024

/** Shorter credentials are not secrets, and redacting them would damage ordinary words. */
const minSecretCharacters = 12

/** Reads the whole body, parses it where it is JSON, and redacts credentials. Rejects when the body is too large. */
export async function readReply(
  response: Dispatcher.ResponseData,
  baseUrl: string,
  credentials: ProviderConfig['credentials'],
): Promise<Reply> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += (chunk as Buffer).length
    if (bytes > replyLimitBytes)
      throw Object.assign(new Error('the reply is too large'), { code: 'REPLY_TOO_LARGE' })
    chunks.push(chunk as Buffer)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  // Some upstreams quote the rejected key in their error message, which is written to logs and records.
  const text = Object.values(credentials)
    .filter((secret) => secret.length >= minSecretCharacters)
    .reduce(
      (redacted, secret) => redacted.replaceAll(secret, '[redacted]'),
      Buffer.concat(chunks).toString('utf8'),
    )
  return { status: response.statusCode, headers, body: parse(text), baseUrl }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
