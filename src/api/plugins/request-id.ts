import type { IncomingMessage } from 'node:http'
import { createRandomId } from '../../text/random-id.ts'
import { createRequestRedactor } from './redact-request.ts'

type Headers = Pick<IncomingMessage, 'headers'>

const requestIdPattern = /^[\w.:/+=@-]{1,128}$/
/** Version, trace ID, ID of the caller's span, flags; later versions may add more. */
const traceparentPattern = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(-.*)?$/

/** The `x-request-id` of a request if it is short and plain and holds no key; otherwise a new ID. */
export function createRequestId(request: Headers): string {
  const id = request.headers['x-request-id']
  const isUsable = typeof id === 'string' && requestIdPattern.test(id)
  return isUsable && createRequestRedactor(request)(id) === id ? id : createRandomId()
}

/** Log fields of the trace that a request belongs to by its `traceparent` (W3C Trace Context); none where it is absent or invalid. */
export function readTraceFields({ headers }: Headers): { trace_id?: string; span_id?: string } {
  const [, version, traceId = '', spanId = '', extra] =
    traceparentPattern.exec(String(headers.traceparent ?? '')) ?? []
  const isValid = version !== undefined && version !== 'ff' && (version !== '00' || extra === undefined)
  return isValid && /[^0]/.test(traceId) && /[^0]/.test(spanId) ? { trace_id: traceId, span_id: spanId } : {}
}
