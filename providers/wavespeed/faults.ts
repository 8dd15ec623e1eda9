import { codeOfStatus, type Fault, type FaultCode, fault } from '../faults.ts'
import type { Reply } from '../provider.ts'
import { at, number, text } from '../reader.ts'
import { statusFault } from '../replies.ts'

/** The rate limit counts by the minute, and replies name no time to wait. */
const rateLimitWaitMs = 60_000

/** Why a call was refused. A task's own error is more specific than the envelope around it. */
export function toWavespeedFault(reply: Reply): Fault {
  const status = statusOf(reply)
  const message =
    text(reply.body, 'data', 'error') ?? text(reply.body, 'message') ?? text(reply.body, 'error')
  const code = codeOf(status, number(reply.body, 'data', 'code'), message)
  const reason = statusFault(reply, message ?? `WaveSpeed answered with HTTP ${status}`, code)
  if (code !== 'rate_limited') return reason
  return { ...reason, retryAfterMs: Math.max(reason.retryAfterMs ?? 0, rateLimitWaitMs) }
}

/** Why an accepted task failed. Its envelope says "success" all the same. */
export function toWavespeedTaskFault(prediction: unknown): Fault {
  const taskCode = number(prediction, 'code')
  const message = text(prediction, 'error')
  const suffix = taskCode === undefined ? '' : ` with code ${taskCode}`
  return fault(codeOf(500, taskCode, message), message ?? `WaveSpeed failed the task${suffix}`)
}

/** The HTTP status, or the envelope's code if that is an error under a 200. */
export function statusOf(reply: Reply): number {
  const code = number(reply.body, 'code')
  return reply.status < 400 && code !== undefined && code >= 400 && code < 600 ? code : reply.status
}

/** True for a reply in WaveSpeed's own shape, not a page of something in between. */
export function isEnvelope(reply: Reply): boolean {
  return number(reply.body, 'code') !== undefined || at(reply.body, 'data') !== undefined
}

const policyWords = /sensitive|flagged|nsfw|moderation|content.?policy/i
// An empty balance is answered with 400, not 402 (seen in clients' logs of 2025 and 2026).
const creditWords = /insufficient (\w+ )?(credit|balance|fund)|\btop.?up\b|enough (credit|balance)/i
const goneWords = /\bmodel\b.*\b(not (found|exist|supported)|retired|deprecated|unavailable)/i

function codeOf(status: number, taskCode: number | undefined, message = ''): FaultCode {
  if (taskCode === 1200 || policyWords.test(message)) return 'content_policy'
  if (status === 402 || taskCode === 1407 || creditWords.test(message)) return 'no_credit'
  if (status === 401 || status === 403) return 'bad_credentials'
  if (status === 429) return 'rate_limited'
  if (taskCode === 1402) return 'media_unreadable'
  if (taskCode === 1400 || taskCode === 1401) return 'invalid_input'
  if (status === 400 && goneWords.test(message)) return 'endpoint_gone'
  return codeOfStatus(status)
}
