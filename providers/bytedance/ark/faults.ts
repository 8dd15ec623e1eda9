import type { Fault, FaultCode } from '../../faults.ts'
import { fault } from '../../faults.ts'
import type { Reply } from '../../provider.ts'
import { at, text } from '../../reader.ts'
import { statusFault } from '../../replies.ts'

/** Patterns of Ark's error codes; the first match wins. */
const codes: readonly [RegExp, FaultCode][] = [
  [/Sensitive|RiskDetection/, 'content_policy'],
  [/^(Missing|Invalid)Parameter/, 'invalid_input'],
  [/^(AuthenticationError|AccessDenied)/, 'bad_credentials'],
  [/^AccountOverdue/, 'no_credit'],
  [/^(InvalidEndpoint|ModelNotOpen)/, 'endpoint_gone'],
  [/RateLimitExceeded|^(QuotaExceeded|ServerOverloaded|ModelLoadingError)/, 'rate_limited'],
  [/^(ContentSecurityDetectionError|InternalServiceError)/, 'upstream_error'],
]

/** Why a call was refused. */
export function toArkFault(reply: Reply): Fault {
  const error = at(reply.body, 'error')
  const message =
    text(error, 'message') ?? text(reply.body, 'message') ?? `Ark answered with HTTP ${reply.status}`
  return statusFault(reply, message, codeOf(error, message))
}

/** Why an accepted task failed. */
export function toArkTaskFault(task: unknown): Fault {
  const error = at(task, 'error') ?? at(task, 'failure_reason')
  const message = text(error, 'message') ?? text(error) ?? 'Ark failed the task without a reason'
  return fault(codeOf(error, message) ?? 'upstream_error', message)
}

function codeOf(error: unknown, message: string): FaultCode | undefined {
  const name = text(error, 'code') ?? ''
  const code = codes.find(([pattern]) => pattern.test(name))?.[1]
  return code === 'invalid_input' && /download|fetch|unreachable|load (the )?image/i.test(message)
    ? 'media_unreadable'
    : code
}
