import type { Fault, FaultCode } from '../faults.ts'
import { codeOfStatus, speaksOfPolicy } from '../faults.ts'
import type { Reply, TaskReference } from '../provider.ts'
import { at, list, text } from '../reader.ts'
import { statusFault } from '../replies.ts'

/** FAL's error types; any other type means what the HTTP status says. */
const codes: Readonly<Record<string, FaultCode>> = {
  content_policy_violation: 'content_policy',
  no_media_generated: 'no_result',
  file_download_error: 'media_unreadable',
  image_load_error: 'media_unreadable',
  unsupported_image_format: 'media_unreadable',
  unsupported_audio_format: 'media_unreadable',
  unsupported_video_format: 'media_unreadable',
  downstream_service_error: 'upstream_error',
  client_disconnected: 'upstream_error',
  generation_timeout: 'timeout',
  request_timeout: 'timeout',
  startup_timeout: 'timeout',
  client_cancelled: 'canceled',
}

/** A lock for one of these reasons ends with a payment; any other lock is one of the key. */
const paymentWords = /balance|budget|payment|top up/i

type FalError = { type?: string | undefined; field?: string | undefined; message: string }

/** FAL's errors: `detail` as a list or as text, a bare error, or what the status of a failed job held. */
export function toFalFault(reply: Reply, ticket: TaskReference = {}): Fault {
  const replied = errorsIn(reply.body)
  const errors = replied.length > 0 ? replied : errorsOfStatus(ticket)
  const texts = errors.map(({ message }) => message).filter((message) => message !== '')
  const code = codeOf(reply, errorTypesOf(reply, ticket), texts.join(' '))
  return statusFault(reply, messageOf(code, errors, reply.status), code)
}

/** FAL's error types, from every place where it puts them. */
export function errorTypesOf(reply: Reply, ticket: TaskReference = {}): readonly string[] {
  const types = [
    ...errorsIn(reply.body).map(({ type }) => type),
    text(reply.body, 'error_type') ?? reply.headers['x-fal-error-type'],
    text(ticket, 'errorType'),
  ]
  return types.filter((type) => type !== undefined)
}

function codeOf({ status }: Reply, types: readonly string[], message: string): FaultCode {
  if (types.some((type) => type.includes('content_policy'))) return 'content_policy'
  const known = types.find((type) => Object.hasOwn(codes, type))
  if (known !== undefined) return codes[known] ?? 'upstream_error'
  if (status === 403 && paymentWords.test(message)) return 'no_credit'
  if (speaksOfPolicy(message)) return 'content_policy'
  return status < 400 ? 'upstream_error' : codeOfStatus(status)
}

function messageOf(code: FaultCode, errors: readonly FalError[], status: number): string {
  const isPolicy = code === 'content_policy'
  const messages = errors.map(({ field, message }) =>
    field === undefined || isPolicy ? message : `${field}: ${message}`,
  )
  const joined = [...new Set(messages)].filter((message) => message !== '').join('; ')
  if (joined !== '') return joined
  return isPolicy ? 'FAL refused this request' : `FAL answered with HTTP ${status}`
}

function errorsIn(body: unknown): readonly FalError[] {
  const detail = at(body, 'detail') ?? at(body, 'error') ?? at(body, 'message')
  return [detail]
    .flat()
    .map(toError)
    .filter((error) => error !== undefined)
}

function toError(error: unknown): FalError | undefined {
  if (typeof error === 'string') return error === '' ? undefined : { message: error }
  const type = text(error, 'type')
  const message = text(error, 'msg') ?? text(error, 'message') ?? ''
  if (type === undefined && message === '') return undefined
  const path = list(error, 'loc').filter((step) => step !== 'body')
  const field = path.length === 0 ? undefined : path.join('.')
  return { type, field, message: message || readableType(type) }
}

function readableType(type = ''): string {
  return type.includes('content_policy') ? '' : type.replaceAll('_', ' ')
}

/** What the status of a failed job said, stored in the ticket. */
function errorsOfStatus(ticket: TaskReference): readonly FalError[] {
  const message = text(ticket, 'error')
  return message === undefined ? [] : [{ message }]
}
