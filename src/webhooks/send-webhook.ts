import { Webhook } from 'standardwebhooks'
import { buildStatusBody } from '../api/nanogpt/status-body.ts'
import type { JobView } from '../jobs/job.ts'
import { AddressRefused, type SafeFetch } from '../net/safe-fetch.ts'

const timeoutMs = 15_000

export type SendResult =
  | { kind: 'answered'; status: number }
  | { kind: 'unanswered'; error: string }
  /** It leads inward, which no later attempt changes. */
  | { kind: 'refused'; error: string }

const eventTypes = {
  succeeded: 'video.completed',
  failed: 'video.failed',
  canceled: 'video.canceled',
} as const

/** What is told of a job's end: the same bytes in every attempt. `address` is the gateway's own, for the links. */
export function buildMessage(view: JobView, baseUrl: string): { id: string; body: string } {
  const endedAt = view.completedAt ?? view.createdAt
  const eventType = eventTypes[view.state as keyof typeof eventTypes]
  const status = buildStatusBody(view, { dialect: 'current', baseUrl, now: endedAt })
  const timestamp = new Date(endedAt).toISOString()
  // Another end is another message.
  const messageSuffix = view.adoptions === undefined ? '' : `_${view.adoptions + 1}`
  return {
    id: `msg_${view.id}${messageSuffix}`,
    body: JSON.stringify({ type: eventType, timestamp, data: status }),
  }
}

/** One attempt, as https://www.standardwebhooks.com has it. */
export async function sendWebhook(
  { safeFetch, stopping }: { safeFetch: SafeFetch['fetch']; stopping: AbortSignal },
  url: string,
  { id, body }: { id: string; body: string },
  secrets: readonly string[],
): Promise<SendResult> {
  const now = new Date()
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Reelgate',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(' '),
  }
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), stopping])
    const response = await safeFetch(url, { method: 'POST', headers, body, redirects: 0, signal })
    await response.body.dump().catch(() => undefined)
    return { kind: 'answered', status: response.statusCode }
  } catch (cause) {
    if (cause instanceof AddressRefused) return { kind: 'refused', error: 'it is no public address' }
    return { kind: 'unanswered', error: describeFailure(cause) }
  }
}

function describeFailure(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown'
  if (cause.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`
  return 'code' in cause ? String(cause.code) : cause.message
}
