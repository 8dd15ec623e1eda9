import type { Fault, FaultCode } from '../../fault.ts'
import type { Reply } from '../../provider.ts'
import { statusFault } from '../../provider.ts'
import { number, text } from '../../reader.ts'
import { worded } from '../refusal.ts'

const meanings: Readonly<Record<number, FaultCode>> = {
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

/** The gate in front of the Visual API words its refusals itself, before any task can be made. */
const gateMeanings: readonly [RegExp, FaultCode][] = [
  [/Signature|AccessKey|Credential|Authenticat|AccessDenied|Unauthorized/i, 'bad_credentials'],
  [/Limit|Throttl/i, 'rate_limited'],
  [/Action|ServiceNotFound/i, 'endpoint_gone'],
]

/** An answer of the Visual API that is not the one hoped for; `certain` where its own words rule a task out. */
export function explain(reply: Reply): { fault: Fault; certain: boolean } {
  const { body } = reply
  const code = number(body, 'code')
  const gate = text(body, 'ResponseMetadata', 'Error', 'Code')
  const meaning =
    code !== undefined
      ? (meanings[code] ?? 'upstream_error')
      : gateMeanings.find(([pattern]) => pattern.test(gate ?? ''))?.[1]
  const message =
    text(body, 'message') ??
    text(body, 'ResponseMetadata', 'Error', 'Message') ??
    `The Visual API answered ${reply.status}`
  const found =
    meaning === undefined
      ? statusFault(reply, message)
      : statusFault(reply, worded(meaning, message), meaning)
  return { fault: found, certain: meaning !== undefined && meaning !== 'upstream_error' }
}
