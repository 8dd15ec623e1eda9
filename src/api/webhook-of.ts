import type { FastifyRequest } from 'fastify'
import { plainName } from '../catalogue/fields.ts'
import { isEmpty } from '../catalogue/parse.ts'
import type { Asked } from '../engine/job.ts'
import { ApiError } from './errors.ts'
import { storedAddressOf } from './nanogpt/links.ts'
import type { AppParts } from './parts.ts'

/** Told apart without regard to case and underscores. */
const names = ['webhookurl', 'callbackurl']

/** Where a request wants the end of its job told. */
export function webhookOf(
  { webhooks, config }: Pick<AppParts, 'webhooks' | 'config'>,
  request: FastifyRequest,
  body: unknown = request.body,
): Asked {
  const url = webhookIn(webhooks, body)
  return { address: storedAddressOf(request, config.publicUrl), ...(url !== undefined && { url }) }
}

/**
 * The address that a body sets for later jobs: under one of the names of a submit or as `url`. `null` removes it, and nothing else does: a body
 * that is missing, or names no address, changes nothing and is refused.
 */
export function readDefaultWebhook(webhooks: AppParts['webhooks'], body: unknown): string | null {
  const isObject = typeof body === 'object' && body !== null
  const given = (isObject ? Object.entries(body) : []).filter(([name, value]) => {
    return value !== undefined && (names.includes(plainName(name)) || name === 'url')
  })
  const [param, url] = given.find(([, value]) => value !== null) ?? given[0] ?? []
  if (param === undefined) {
    const message = '`url` is required: an http(s) address, or null to remove the configured one'
    throw new ApiError('missing_required_parameter', message, { param: 'url' })
  }
  if (url === null) return null
  checkAddress(webhooks, param, url)
  return String(url)
}

function checkAddress(webhooks: AppParts['webhooks'], param: string, url: unknown): void {
  const problem = webhooks.problemOf(url)
  // The address itself is not repeated: it may hold a secret.
  if (problem !== undefined)
    throw new ApiError('invalid_parameter_value', `\`${param}\` ${problem}`, { param })
}

/** The address that a body names; throws where nothing can be sent to it. */
function webhookIn(webhooks: AppParts['webhooks'], body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const told = Object.entries(body).find(
    ([name, value]) => names.includes(plainName(name)) && !isEmpty(value),
  )
  if (told === undefined) return undefined
  const [param, url] = told
  checkAddress(webhooks, param, url)
  return String(url)
}
