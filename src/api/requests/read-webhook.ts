import type { FastifyRequest } from 'fastify'
import { normalizeName } from '../../catalogue/fields.ts'
import { isEmpty } from '../../catalogue/validation/parse-value.ts'
import type { RequestedWebhook } from '../../jobs/job.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { resolveStoredBaseUrl } from './base-url.ts'

/** Compared without case and underscores. */
const webhookFields = ['webhookurl', 'callbackurl']

/** The webhook that a request sets for its job. */
export function readJobWebhook(
  { webhooks, config }: Pick<ApiDeps, 'webhooks' | 'config'>,
  request: FastifyRequest,
  body: unknown,
): RequestedWebhook {
  const url = findWebhookUrl(webhooks, body)
  return { baseUrl: resolveStoredBaseUrl(request, config.publicUrl), ...(url !== undefined && { url }) }
}

/**
 * The address that a body sets for later jobs: under one of the names of a submit or as `url`. `null` removes it, and nothing else does: a body
 * that is missing, or names no address, changes nothing and is refused.
 */
export function readWebhookUrl(webhooks: ApiDeps['webhooks'], body: unknown): string | null {
  const isObject = typeof body === 'object' && body !== null
  const candidates = (isObject ? Object.entries(body) : []).filter(([name, value]) => {
    return value !== undefined && (webhookFields.includes(normalizeName(name)) || name === 'url')
  })
  const [param, url] = candidates.find(([, value]) => value !== null) ?? candidates[0] ?? []
  if (param === undefined) {
    const message = '`url` is required: an http(s) address, or null to remove the configured one'
    throw new ApiError('missing_required_parameter', message, { param: 'url' })
  }
  if (url === null) return null
  checkWebhookUrl(webhooks, param, url)
  return String(url)
}

function checkWebhookUrl(webhooks: ApiDeps['webhooks'], param: string, url: unknown): void {
  const problem = webhooks.findUrlProblem(url)
  // The address itself is not repeated: it may hold a secret.
  if (problem !== undefined)
    throw new ApiError('invalid_parameter_value', `\`${param}\` ${problem}`, { param })
}

/** The address that a body names; throws where nothing can be sent to it. */
function findWebhookUrl(webhooks: ApiDeps['webhooks'], body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const entry = Object.entries(body).find(
    ([name, value]) => webhookFields.includes(normalizeName(name)) && !isEmpty(value),
  )
  if (entry === undefined) return undefined
  const [param, url] = entry
  checkWebhookUrl(webhooks, param, url)
  return String(url)
}
