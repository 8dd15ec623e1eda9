/**
 * Every way in which a job can fail.
 *
 * - `blame`: who caused it. A fault of the operator (a wrong key, an empty balance) is never reported as one of the client.
 * - `type`: the `type` of the error that clients read.
 * - `elsewhere`: another upstream may be tried, provided that this one certainly created no task.
 * - `again`: the same call may succeed later.
 */
export const faults = {
  content_policy: {
    blame: 'client',
    type: 'CONTENT_POLICY_VIOLATION',
    elsewhere: false,
    again: false,
  },
  invalid_input: {
    blame: 'client',
    type: 'invalid_request_error',
    elsewhere: false,
    again: false,
  },
  media_unreadable: {
    blame: 'client',
    type: 'invalid_request_error',
    elsewhere: false,
    again: false,
  },
  canceled: { blame: 'client', type: 'invalid_request_error', elsewhere: false, again: false },
  bad_credentials: {
    blame: 'operator',
    type: 'service_unavailable',
    elsewhere: true,
    again: false,
  },
  no_credit: { blame: 'operator', type: 'service_unavailable', elsewhere: true, again: false },
  endpoint_gone: { blame: 'operator', type: 'service_unavailable', elsewhere: true, again: false },
  rate_limited: { blame: 'upstream', type: 'service_unavailable', elsewhere: true, again: true },
  upstream_unreachable: {
    blame: 'upstream',
    type: 'service_unavailable',
    elsewhere: true,
    again: true,
  },
  upstream_error: { blame: 'upstream', type: 'api_error', elsewhere: true, again: true },
  unreadable_reply: { blame: 'upstream', type: 'api_error', elsewhere: true, again: true },
  no_result: { blame: 'upstream', type: 'api_error', elsewhere: true, again: false },
  task_lost: { blame: 'upstream', type: 'api_error', elsewhere: false, again: false },
  timeout: { blame: 'upstream', type: 'api_error', elsewhere: false, again: false },
  result_unavailable: { blame: 'upstream', type: 'api_error', elsewhere: false, again: false },
  result_not_stored: { blame: 'operator', type: 'server_error', elsewhere: false, again: false },
  submission_unknown: { blame: 'upstream', type: 'api_error', elsewhere: false, again: false },
} as const satisfies Record<string, FaultRule>

type FaultRule = {
  blame: 'client' | 'operator' | 'upstream'
  type: string
  elsewhere: boolean
  again: boolean
}

export type FaultCode = keyof typeof faults

/** `message`: the upstream's text or ours, for logs, and for clients unless the operator is to blame. It never holds a secret. */
export type Fault = { code: FaultCode; message: string; retryAfterMs?: number }

export function fault(code: FaultCode, message: string): Fault {
  return { code, message }
}

const policyWords =
  /content.?polic|moderat|nsfw|sensitive|flagged|safety|usage guidelines|not allowed by|banned prompt|image denied/i

/** True for the text of a content refusal. */
export function speaksOfPolicy(text: string): boolean {
  return policyWords.test(text)
}

/** For replies whose body holds no error code. */
export function codeOfStatus(status: number): FaultCode {
  if (status === 401 || status === 403) return 'bad_credentials'
  if (status === 402) return 'no_credit'
  if (status === 404) return 'endpoint_gone'
  if (status === 408 || status >= 500) return 'upstream_error'
  if (status === 429) return 'rate_limited'
  if (status >= 400) return 'invalid_input'
  return 'unreadable_reply'
}
