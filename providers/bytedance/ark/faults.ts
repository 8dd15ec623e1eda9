import type { Fault, FaultCode } from '../../fault.ts'
import { fault } from '../../fault.ts'
import type { Reply } from '../../provider.ts'
import { statusFault } from '../../provider.ts'
import { at, text } from '../../reader.ts'
import { worded } from '../refusal.ts'

/** What Ark's error codes mean, by how they begin or what they hold; the first match wins. */
const meanings: readonly [RegExp, FaultCode][] = [
  [/Sensitive|RiskDetection/, 'content_policy'],
  [/^(Missing|Invalid)Parameter/, 'invalid_input'],
  [/^(AuthenticationError|AccessDenied)/, 'bad_credentials'],
  [/^AccountOverdue/, 'no_credit'],
  [/^(InvalidEndpoint|ModelNotOpen)/, 'endpoint_gone'],
  [/RateLimitExceeded|^(QuotaExceeded|ServerOverloaded|ModelLoadingError)/, 'rate_limited'],
  [/^(ContentSecurityDetectionError|InternalServiceError)/, 'upstream_error'],
]

/** An answer of Ark that is not the one hoped for. */
export function explainReply(reply: Reply): Fault {
  const error = at(reply.body, 'error')
  const message = text(error, 'message') ?? text(reply.body, 'message') ?? `Ark answered ${reply.status}`
  const code = meaningOf(error, message)
  return code === undefined ? statusFault(reply, message) : statusFault(reply, worded(code, message), code)
}

/** Why a task that Ark had taken failed. */
export function explainTask(task: unknown): Fault {
  const error = at(task, 'error') ?? at(task, 'failure_reason')
  const message = text(error, 'message') ?? text(error) ?? 'Ark failed the task without a reason'
  const code = meaningOf(error, message) ?? 'upstream_error'
  return fault(code, worded(code, message))
}

function meaningOf(error: unknown, message: string): FaultCode | undefined {
  const said = text(error, 'code') ?? ''
  const code = meanings.find(([pattern]) => pattern.test(said))?.[1]
  return code === 'invalid_input' && /download|fetch|unreachable|load (the )?image/i.test(message)
    ? 'media_unreadable'
    : code
}
