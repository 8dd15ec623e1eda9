/**
 * The closed list of ways a job can end badly. HTTP status, blame and what may be tried next follow from the code alone.
 *
 * - `blame`: whose doing it is. What the operator did (a wrong key, an empty balance) is never told as the client's:
 *   its text goes to the log only, the client reads `public`.
 * - `elsewhere`: another offer may be tried, provided that this upstream certainly made no task.
 * - `again`: the same call may succeed later.
 * - `public`: the text a client reads where the upstream's own words are not for it.
 */
export const faults = {
  content_policy: {
    blame: 'client',
    type: 'CONTENT_POLICY_VIOLATION',
    http: 400,
    elsewhere: false,
    again: false,
  },
  invalid_input: {
    blame: 'client',
    type: 'invalid_request_error',
    http: 400,
    elsewhere: false,
    again: false,
  },
  media_unreadable: {
    blame: 'client',
    type: 'invalid_request_error',
    http: 400,
    elsewhere: false,
    again: false,
  },
  canceled: { blame: 'client', type: 'invalid_request_error', http: 409, elsewhere: false, again: false },
  bad_credentials: {
    blame: 'operator',
    type: 'service_unavailable',
    http: 503,
    elsewhere: true,
    again: false,
  },
  no_credit: { blame: 'operator', type: 'service_unavailable', http: 503, elsewhere: true, again: false },
  endpoint_gone: { blame: 'operator', type: 'service_unavailable', http: 503, elsewhere: true, again: false },
  rate_limited: { blame: 'upstream', type: 'service_unavailable', http: 503, elsewhere: true, again: true },
  upstream_unreachable: {
    blame: 'upstream',
    type: 'service_unavailable',
    http: 503,
    elsewhere: true,
    again: true,
  },
  upstream_error: { blame: 'upstream', type: 'api_error', http: 502, elsewhere: true, again: true },
  unreadable_reply: { blame: 'upstream', type: 'api_error', http: 502, elsewhere: true, again: true },
  no_result: { blame: 'upstream', type: 'api_error', http: 502, elsewhere: true, again: false },
  task_lost: { blame: 'upstream', type: 'api_error', http: 502, elsewhere: false, again: false },
  timeout: { blame: 'upstream', type: 'api_error', http: 504, elsewhere: false, again: false },
  result_unavailable: { blame: 'upstream', type: 'api_error', http: 502, elsewhere: false, again: false },
  result_not_stored: { blame: 'operator', type: 'server_error', http: 500, elsewhere: false, again: false },
  submission_unknown: { blame: 'upstream', type: 'api_error', http: 502, elsewhere: false, again: false },
} as const satisfies Record<string, FaultRule>

type FaultRule = {
  blame: 'client' | 'operator' | 'upstream'
  type: string
  http: number
  elsewhere: boolean
  again: boolean
}

export type FaultCode = keyof typeof faults

/** `message` is for a reader of logs, or of the reply where the code's blame allows it; it never holds a secret. */
export type Fault = { code: FaultCode; message: string; retryAfterMs?: number }

export function fault(code: FaultCode, message: string): Fault {
  return { code, message }
}

const policyWords =
  /content.?polic|moderat|nsfw|sensitive|flagged|safety|usage guidelines|not allowed by|banned prompt|image denied/i

/** True when an upstream's own words tell of a content refusal. */
export function speaksOfPolicy(text: string): boolean {
  return policyWords.test(text)
}

/** What an HTTP status alone says, for replies whose body says nothing better. */
export function codeOfStatus(status: number): FaultCode {
  if (status === 401 || status === 403) return 'bad_credentials'
  if (status === 402) return 'no_credit'
  if (status === 404) return 'endpoint_gone'
  if (status === 408 || status >= 500) return 'upstream_error'
  if (status === 429) return 'rate_limited'
  if (status >= 400) return 'invalid_input'
  return 'unreadable_reply'
}
