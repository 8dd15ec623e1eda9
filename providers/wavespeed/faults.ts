import { codeOfStatus, type Fault, type FaultCode, fault } from '../fault.ts'
import { type Reply, statusFault } from '../provider.ts'
import { at, number, text } from '../reader.ts'

/** The rate limit counts by the minute, and names no time to wait. */
const patienceMs = 60_000

/** What a refusal means. A task's own error tells more than the envelope around it. */
export function explain(reply: Reply): Fault {
  const status = statusOf(reply)
  const said = text(reply.body, 'data', 'error') ?? text(reply.body, 'message') ?? text(reply.body, 'error')
  const code = codeOf(status, number(reply.body, 'data', 'code'), said)
  const found = statusFault(reply, wording(code, said ?? `WaveSpeed answered HTTP ${status}`), code)
  if (code !== 'rate_limited') return found
  return { ...found, retryAfterMs: Math.max(found.retryAfterMs ?? 0, patienceMs) }
}

/** Why a task that was accepted did not end well. Its envelope says "success" all the same. */
export function explainTask(prediction: unknown): Fault {
  const taskCode = number(prediction, 'code')
  const said = text(prediction, 'error')
  const code = codeOf(500, taskCode, said)
  return fault(
    code,
    wording(
      code,
      said ?? `WaveSpeed failed the task${taskCode === undefined ? '' : ` with code ${taskCode}`}`,
    ),
  )
}

/** The HTTP status, or the envelope's code where that tells of an error under a 200. */
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

function codeOf(status: number, taskCode: number | undefined, said = ''): FaultCode {
  if (taskCode === 1200 || policyWords.test(said)) return 'content_policy'
  if (status === 402 || taskCode === 1407 || creditWords.test(said)) return 'no_credit'
  if (status === 401 || status === 403) return 'bad_credentials'
  if (status === 429) return 'rate_limited'
  if (taskCode === 1402) return 'media_unreadable'
  if (taskCode === 1400 || taskCode === 1401) return 'invalid_input'
  if (status === 400 && goneWords.test(said)) return 'endpoint_gone'
  return codeOfStatus(status)
}

// Clients tell a content refusal by these words in its text.
function wording(code: FaultCode, said: string): string {
  const plain = code !== 'content_policy' || /policy|nsfw|safety|moderation|flagged/i.test(said)
  return plain ? said : `Content policy: ${said}`
}
