/** All error codes of responses, which are stable, each with its HTTP status and the `type` that clients read. */
export const errors = {
  invalid_request: { status: 400, type: 'invalid_request_error' },
  invalid_json: { status: 400, type: 'invalid_request_error' },
  missing_required_parameter: { status: 400, type: 'invalid_request_error' },
  invalid_parameter_value: { status: 400, type: 'invalid_request_error' },
  content_policy_violation: { status: 400, type: 'CONTENT_POLICY_VIOLATION' },
  pro_required: { status: 400, type: 'PRO_REQUIRED' },
  missing_api_key: { status: 401, type: 'authentication_error' },
  invalid_api_key: { status: 401, type: 'authentication_error' },
  insufficient_balance: { status: 402, type: 'INSUFFICIENT_BALANCE' },
  forbidden: { status: 403, type: 'permission_denied_error' },
  api_key_origin_not_allowed: { status: 403, type: 'permission_denied_error' },
  not_found: { status: 404, type: 'not_found_error' },
  model_not_found: { status: 404, type: 'not_found_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  timeout: { status: 408, type: 'api_error' },
  conflict: { status: 409, type: 'invalid_request_error' },
  gone: { status: 410, type: 'not_found_error' },
  payload_too_large: { status: 413, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  range_not_satisfiable: { status: 416, type: 'invalid_request_error' },
  idempotency_key_reused: { status: 422, type: 'invalid_request_error' },
  rate_limit_exceeded: { status: 429, type: 'RATE_LIMITED' },
  daily_rpd_limit_exceeded: { status: 429, type: 'RATE_LIMITED' },
  daily_usd_limit_exceeded: { status: 429, type: 'RATE_LIMITED' },
  internal_error: { status: 500, type: 'server_error' },
  service_unavailable: { status: 503, type: 'service_unavailable' },
  insufficient_storage: { status: 507, type: 'server_error' },
} as const satisfies Record<string, { status: number; type: string }>

export type ErrorCode = keyof typeof errors

type ErrorOptions = {
  /** The request field at fault. */
  param?: string
  /** Replaces the status of the code. */
  status?: number
  /** Additional members of `error` in the body. */
  extra?: Readonly<Record<string, unknown>>
  headers?: Readonly<Record<string, string>>
  /** Additional fields of the request's log line. */
  log?: Readonly<Record<string, unknown>>
  cause?: unknown
}

/** Thrown in a route to reply with an error; the message is for the client. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: ErrorCode
  readonly status: number
  readonly param: string | null
  readonly extra: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
  readonly log: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.status = options.status ?? errors[code].status
    this.param = options.param ?? null
    this.extra = options.extra ?? {}
    this.headers = options.headers ?? {}
    this.log = options.log ?? {}
  }
}

/** The error body of all responses. Clients read the text in `error.message`, in `message` or in the whole body; `redact` removes secrets. */
export function buildErrorBody(
  { code, message, status, param, extra }: ApiError,
  redact = (text: string) => text,
) {
  const text = redact(message)
  const error = { message: text, type: errors[code].type, code, param, ...extra }
  // Older clients read it beside `error`.
  const legacyFields = extra.requiredBalance === undefined ? {} : { requiredBalance: extra.requiredBalance }
  return JSON.stringify({ error, message: text, code, status, ...legacyFields }, (_, value: unknown) =>
    typeof value === 'string' ? redact(value) : value,
  )
}
