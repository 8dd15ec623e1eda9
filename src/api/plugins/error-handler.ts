import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Field } from '../../../providers/input.ts'
import { list, text } from '../../../providers/reader.ts'
import { JobRefused } from '../../accounts/check-account.ts'
import { secondsUntilUtcMidnight } from '../../accounts/money.ts'
import { RecordTooLarge } from '../../jobs/store/record-size.ts'
import { MediaRefused } from '../../media/inputs/media-refused.ts'
import { QuotaExceeded } from '../../media/inputs/quota.ts'
import { StorageUnavailable } from '../../media/storage/storage-fault.ts'
import { RedisUnavailable } from '../../redis/redis-unavailable.ts'
import { NotReplicated } from '../../redis/replicas.ts'
import { shorten } from '../../text/text-limits.ts'
import { ApiError, buildErrorBody, type ErrorCode } from '../errors.ts'
import { createRequestRedactor } from './redact-request.ts'

/** Replies to the errors of all routes, including those of Fastify, with the same error body. */
export const errorHandler = createErrorHandler(buildErrorBody)

/** The same with the error body of another API. */
export function createErrorHandler(buildBody: typeof buildErrorBody) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const apiError = toApiError(error, request.server.initialConfig.bodyLimit)
    if (apiError.status === 500) request.log.error({ err: error }, 'request failed')
    request.apiError = apiError
    // Fastify would close the connection after a body that was not read completely, and the sender would lose the reply. Node discards the rest.
    if (reply.raw.getHeader('connection') === undefined) reply.removeHeader('connection')
    return reply
      .code(apiError.status)
      .headers(apiError.headers)
      .type('application/json')
      .send(Buffer.from(buildBody(apiError, createRequestRedactor(request))))
  }
}

const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_VALIDATION: 'invalid_parameter_value',
}

function toApiError(error: unknown, bodyLimitBytes = 0): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof RedisUnavailable || error instanceof NotReplicated) {
    const message =
      error instanceof NotReplicated ? 'Redis did not replicate the job in time' : 'Redis is unavailable'
    const headers = { 'Retry-After': '1' }
    return new ApiError('service_unavailable', `${message}; try again`, { headers, cause: error })
  }
  if (error instanceof StorageUnavailable) return toStorageError(error)
  if (error instanceof JobRefused) return toAccountError(error)
  if (error instanceof RecordTooLarge) return toRecordTooLargeError(error, (field) => field)
  if (error instanceof QuotaExceeded)
    return new ApiError('payload_too_large', error.message, { cause: error })
  if (error instanceof MediaRefused) {
    const code = error.reason === 'invalid' ? 'invalid_parameter_value' : 'payload_too_large'
    return new ApiError(code, error.message, { param: error.field, cause: error })
  }
  const { code = '', statusCode: status = 500, validation } = error as Partial<FastifyError>
  const frameworkCode = frameworkCodes[code]
  if (frameworkCode === 'payload_too_large') {
    return new ApiError(frameworkCode, `The body is larger than ${bodyLimitBytes} bytes`, { cause: error })
  }
  if (frameworkCode === 'invalid_json')
    return new ApiError(frameworkCode, 'The body is not valid JSON', { cause: error })
  if (frameworkCode === 'unsupported_media_type') {
    return new ApiError(frameworkCode, 'The body must be JSON, sent as application/json', { cause: error })
  }
  if (frameworkCode === 'invalid_parameter_value') return toSchemaError(validation ?? [], error)
  // @fastify/static replies 403 to a path outside its folder; here 403 means a job of another key.
  if (status === 403) return new ApiError('not_found', 'Not found', { cause: error })
  if (status === 414) {
    const message = 'A part of the path is too long'
    return new ApiError('invalid_request', message, { status, cause: error })
  }
  if (status >= 400 && status < 500) {
    return new ApiError('invalid_request', 'The request cannot be read', { status, cause: error })
  }
  return new ApiError('internal_error', 'Internal error of the gateway', { cause: error })
}

/** `fieldNameInRequest` returns the name of a field as the request spells it. */
export function toRecordTooLargeError(
  cause: RecordTooLarge,
  fieldNameInRequest: (field: Field) => string,
): ApiError {
  const { bytes, maxBytes, field, fieldBytes } = cause
  const param = field === undefined ? undefined : shorten(fieldNameInRequest(field as Field), 200)
  const largestField =
    param === undefined ? '' : `; the largest field is \`${param}\` with ${fieldBytes} bytes`
  const message = `The fields of a job must have at most ${maxBytes} bytes together; got ${bytes}${largestField}`
  return new ApiError('invalid_parameter_value', message, { ...(param !== undefined && { param }), cause })
}

/** The client does not learn what failed; the log does. */
function toStorageError(cause: StorageUnavailable): ApiError {
  const headers = { 'Retry-After': '30' }
  return cause.isFull
    ? new ApiError('insufficient_storage', 'There is not enough disk space; try again later', {
        headers,
        cause,
      })
    : new ApiError('service_unavailable', 'File storage is unavailable; try again later', { headers, cause })
}

function toAccountError({ reason: why, costUsd }: JobRefused): ApiError {
  if (why.kind === 'revoked') return new ApiError('invalid_api_key', 'The API key is not valid')
  if (why.kind === 'balance') {
    // Rejected before the request was read.
    if (costUsd === 0)
      return new ApiError('insufficient_balance', `Insufficient balance: $${why.remainingUsd} is left`)
    const message = `Insufficient balance: the job may cost $${costUsd}, and $${why.remainingUsd} is left`
    return new ApiError('insufficient_balance', message, { extra: { requiredBalance: costUsd } })
  }
  if (why.kind === 'reused') {
    const message = '`Idempotency-Key` was used for a different request; use a new key'
    return new ApiError('idempotency_key_reused', message, { param: 'Idempotency-Key' })
  }
  const message = `The daily limit of $${why.limitUsd} is reached; it resets at 00:00 UTC`
  const headers = { 'Retry-After': String(secondsUntilUtcMidnight(Date.now())) }
  return new ApiError('daily_usd_limit_exceeded', message, { headers })
}

function toSchemaError(validation: NonNullable<FastifyError['validation']>, cause: unknown): ApiError {
  const details = validation.map(({ instancePath, params, message }) => {
    const path = instancePath.slice(1).replaceAll('/', '.')
    const missing = text(params, 'missingProperty')
    if (missing !== undefined) return { field: missing, message: `\`${missing}\` is required` }
    const unknown = text(params, 'additionalProperty')
    if (unknown !== undefined) return { field: unknown, message: `\`${unknown}\` is not a known field` }
    if (path === '') return { field: undefined, message: 'The body must be a JSON object' }
    const allowed = list(params, 'allowedValues').join(', ')
    const problem = `\`${path}\` ${message ?? 'is wrong'}${allowed === '' ? '' : `: ${allowed}`}`
    return { field: path, message: problem }
  })
  const message = details.map((detail) => detail.message).join('; ')
  const param = details[0]?.field
  return new ApiError('invalid_parameter_value', message, {
    ...(param !== undefined && { param }),
    extra: { details },
    cause,
  })
}
