import type { Fault, FaultCode } from '../fault.ts'
import { codeOfStatus, speaksOfPolicy } from '../fault.ts'
import type { Reply, Ticket } from '../provider.ts'
import { statusFault } from '../provider.ts'
import { at, list, text } from '../reader.ts'

/** What FAL's own words for a failure mean; any other word means what the HTTP status says. */
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

/** Lock reasons that money would lift; another lock is one of the key. */
const moneyWords = /balance|budget|payment|top up/i

type Complaint = { type?: string | undefined; field?: string | undefined; message: string }

/** How FAL words a refusal: `detail` as a list or as text, a bare error, or what the status said of a failed job. */
export function explain(reply: Reply, ticket: Ticket = {}): Fault {
  const answered = complaints(reply.body)
  const told = answered.length > 0 ? answered : said(ticket)
  const words = told.map(({ message }) => message).filter((message) => message !== '')
  const code = codeOf(reply, typesOf(reply, ticket), words.join(' '))
  return statusFault(reply, wording(code, told, reply.status), code)
}

/** FAL's words for what went wrong, from every place where it puts them. */
export function typesOf(reply: Reply, ticket: Ticket = {}): readonly string[] {
  const found = [
    ...complaints(reply.body).map(({ type }) => type),
    text(reply.body, 'error_type') ?? reply.headers['x-fal-error-type'],
    text(ticket, 'errorType'),
  ]
  return found.filter((type) => type !== undefined)
}

function codeOf({ status }: Reply, types: readonly string[], words: string): FaultCode {
  if (types.some((type) => type.includes('content_policy'))) return 'content_policy'
  const known = types.find((type) => Object.hasOwn(codes, type))
  if (known !== undefined) return codes[known] ?? 'upstream_error'
  if (status === 403 && moneyWords.test(words)) return 'no_credit'
  if (speaksOfPolicy(words)) return 'content_policy'
  return status < 400 ? 'upstream_error' : codeOfStatus(status)
}

function wording(code: FaultCode, told: readonly Complaint[], status: number): string {
  const policy = code === 'content_policy'
  const [first, ...rest] = told.map(({ field, message }) =>
    field === undefined || policy ? message : `${field}: ${message}`,
  )
  const words = [...new Set([first, ...rest])].filter((one) => one !== undefined && one !== '').join('; ')
  if (!policy) return words === '' ? `FAL answered with HTTP ${status}` : words
  if (/content.?policy/i.test(words)) return words
  return `Content policy: ${words === '' ? 'FAL refused this request' : words}`
}

function complaints(body: unknown): readonly Complaint[] {
  const detail = at(body, 'detail') ?? at(body, 'error') ?? at(body, 'message')
  return (Array.isArray(detail) ? detail : [detail])
    .map((one) => complaint(one))
    .filter((one) => one !== undefined)
}

function complaint(one: unknown): Complaint | undefined {
  if (typeof one === 'string') return one === '' ? undefined : { message: one }
  const type = text(one, 'type')
  const message = text(one, 'msg') ?? text(one, 'message') ?? ''
  if (type === undefined && message === '') return undefined
  const path = list(one, 'loc').filter((step) => step !== 'body')
  return { type, field: path.length === 0 ? undefined : path.join('.'), message: message || spoken(type) }
}

function spoken(type = ''): string {
  return type.includes('content_policy') ? '' : type.replaceAll('_', ' ')
}

/** What the status of a failed job said, kept in the ticket. */
function said(ticket: Ticket): readonly Complaint[] {
  const message = text(ticket, 'error')
  return message === undefined ? [] : [{ message }]
}
