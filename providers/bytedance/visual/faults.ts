import type { Fault, FaultCode } from '../../faults.ts'
import type { Reply } from '../../provider.ts'
import { number, text } from '../../reader.ts'
import { statusFault } from '../../replies.ts'

const codes: Readonly<Record<number, FaultCode>> = {
  50215: 'invalid_input',
  50400: 'bad_credentials',
  50411: 'content_policy',
  50412: 'content_policy',
  50413: 'content_policy',
  50429: 'rate_limited',
  50430: 'rate_limited',
  50511: 'content_policy',
  50512: 'content_policy',
  50514: 'content_policy',
  50518: 'content_policy',
  50519: 'content_policy',
}

/** Errors of the gateway in front of the Visual API, which answers before any task can be created. */
const gatewayCodes: readonly [RegExp, FaultCode][] = [
  [/Signature|AccessKey|Credential|Authenticat|AccessDenied|Unauthorized/i, 'bad_credentials'],
  [/Limit|Throttl/i, 'rate_limited'],
  [/Action|ServiceNotFound/i, 'endpoint_gone'],
]

/** Why a call was refused; `isCertain`: the error code rules a task out. */
export function toVisualFault(reply: Reply): { reason: Fault; isCertain: boolean } {
  const { body } = reply
  const errorNumber = number(body, 'code')
  const gatewayError = text(body, 'ResponseMetadata', 'Error', 'Code')
  const code =
    errorNumber !== undefined
      ? (codes[errorNumber] ?? 'upstream_error')
      : gatewayCodes.find(([pattern]) => pattern.test(gatewayError ?? ''))?.[1]
  const message =
    text(body, 'message') ??
    text(body, 'ResponseMetadata', 'Error', 'Message') ??
    `The Visual API answered with HTTP ${reply.status}`
  return {
    reason: statusFault(reply, message, code),
    isCertain: code !== undefined && code !== 'upstream_error',
  }
}
