import { type Fault, type FaultCode, fault, speaksOfPolicy } from '../faults.ts'
import type { Reply } from '../provider.ts'
import { text } from '../reader.ts'
import { statusFault } from '../replies.ts'

/** API.market publishes no error codes, so the message decides. */
const patterns: readonly [RegExp, FaultCode][] = [
  [/not allowed/i, 'content_policy'],
  [/no faces?\b|face (was )?not (found|detected)|could not (find|detect) (a|any) face/i, 'invalid_input'],
  [/download|fetch|unreachable|(invalid|bad) (url|link)/i, 'media_unreadable'],
  [
    /insufficient (\w+ )?(credit|balance|fund|quota)|out of credit|quota|subscri|upgrade your plan/i,
    'no_credit',
  ],
]

/** Why a call was refused. */
export function toMagicapiFault(reply: Reply): Fault {
  const message = errorTextOf(reply.body) ?? `MagicAPI answered with HTTP ${reply.status}`
  // A wrong key or a failing gateway is known by the status alone.
  const code = reply.status === 401 || reply.status >= 500 ? undefined : codeOf(message)
  return statusFault(reply, message, code)
}

/** Why an accepted task failed, from its own text. */
export function toMagicapiTaskFault(message = 'MagicAPI failed the task without a reason'): Fault {
  return fault(codeOf(message) ?? 'upstream_error', message)
}

/** The error text, from every place where a product of this family puts it. */
export function errorTextOf(body: unknown): string | undefined {
  return (
    text(body, 'error') ??
    text(body, 'error', 'message') ??
    text(body, 'error', 'raw_message') ??
    text(body, 'output', 'error') ??
    text(body, 'message')
  )
}

function codeOf(message: string): FaultCode | undefined {
  if (speaksOfPolicy(message)) return 'content_policy'
  return patterns.find(([pattern]) => pattern.test(message))?.[1]
}
