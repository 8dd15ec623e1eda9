import { type Fault, type FaultCode, fault, speaksOfPolicy } from '../fault.ts'
import { type Reply, statusFault } from '../provider.ts'
import { text } from '../reader.ts'

/** API.market publishes no codes, so its words have to tell. */
const meanings: readonly [RegExp, FaultCode][] = [
  [/not allowed/i, 'content_policy'],
  [/no faces?\b|face (was )?not (found|detected)|could not (find|detect) (a|any) face/i, 'invalid_input'],
  [/download|fetch|unreachable|(invalid|bad) (url|link)/i, 'media_unreadable'],
  [
    /insufficient (\w+ )?(credit|balance|fund|quota)|out of credit|quota|subscri|upgrade your plan/i,
    'no_credit',
  ],
]

/** An answer that is not the one hoped for. */
export function explainReply(reply: Reply): Fault {
  const message = reasonOf(reply.body) ?? `MagicAPI answered ${reply.status}`
  // What a wrong key is answered with, or a failing gateway, is no matter of words.
  const code = reply.status === 401 || reply.status >= 500 ? undefined : meaningOf(message)
  return code === undefined ? statusFault(reply, message) : statusFault(reply, worded(code, message), code)
}

/** Why a task failed, as it says itself. */
export function explainTask(reason = 'MagicAPI failed the task without a reason'): Fault {
  const code = meaningOf(reason) ?? 'upstream_error'
  return fault(code, worded(code, reason))
}

/** The places where the products of this family leave a reason. */
export function reasonOf(body: unknown): string | undefined {
  return (
    text(body, 'error') ??
    text(body, 'error', 'message') ??
    text(body, 'error', 'raw_message') ??
    text(body, 'output', 'error') ??
    text(body, 'message')
  )
}

function meaningOf(message: string): FaultCode | undefined {
  if (speaksOfPolicy(message)) return 'content_policy'
  return meanings.find(([pattern]) => pattern.test(message))?.[1]
}

// Clients tell a content refusal by these words in its text.
function worded(code: FaultCode, message: string): string {
  const plain = code !== 'content_policy' || /policy|nsfw|safety|moderation|flagged/i.test(message)
  return plain ? message : `Content policy: ${message}`
}
