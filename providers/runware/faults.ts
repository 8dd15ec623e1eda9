import { codeOfStatus, type Fault, type FaultCode, speaksOfPolicy } from '../faults.ts'
import type { Reply } from '../provider.ts'
import { text } from '../reader.ts'
import { statusFault } from '../replies.ts'

/** Messages may hold a whole page of an upstream behind Runware. */
const longestText = 600

/** An error of Runware; without one, the HTTP status. */
export function toRunwareFault(reply: Reply, error?: unknown): Fault {
  const upstream = text(error, 'responseContent') ?? text(error, 'responseContent', 'data', 'task_status_msg')
  const message = text(error, 'message') ?? `Runware answered with HTTP ${reply.status}`
  const code = codeOf(reply.status, text(error, 'code'), message, upstream)
  const full = upstream === undefined || message.includes(upstream) ? message : `${message} (${upstream})`
  return statusFault(reply, full.slice(0, longestText), code)
}

// `invalidProviderContent` looks like a malformed request, but is what the moderation of a provider answers with.
const policyCodes =
  /^(invalidProviderContent|(provider)?contentPolicyViolation|(sensitive|unsafe|nsfw)ContentDetected|(prompt|image)Blocked|moderationFailed)$/i
const creditCodes = /credits|quota|balance|^paymentRequired$/i
const keyCodes =
  /ApiKey|^(unauthorized|forbidden|permissionDenied|insufficientPermissions|auth(enticationFailed|Failed|Timeout)|(invalid|missing)Authentication|invalidCredentials|token(Expired|Invalid|Missing|Revoked)|(account|organization|workspace)(Suspended|Disabled))$/
const serverCodes =
  /^(internalServerError|(service|server)Unavailable|(standard|unknown|undefined|default)Error|unrecognizedResponse)$/
const providerCodes =
  /^(provider|(inference|download|upload|processing|task)(Error|Failed)$|noAvailableServer$|model(Unavailable|Disabled|NotReady)$)/
const validationCodes =
  /^(invalid|missing|unsupported|unknown|incompatible|mismatch|conflict|duplicate|value|array|max|transparent)/

/** Runware has hundreds of codes and calls the set unstable, so the words in a code decide. */
function codeOf(status: number, code: string | undefined, message: string, upstream = ''): FaultCode {
  if (code === undefined) return codeOfStatus(status)
  if (policyCodes.test(code)) return 'content_policy'
  if (creditCodes.test(code)) return 'no_credit'
  if (/RateLimit/i.test(code)) return 'rate_limited'
  if (keyCodes.test(code)) return 'bad_credentials'
  if (/^(modelNotFound|unknownModel)$/.test(code)) return 'endpoint_gone'
  const isValidation = validationCodes.test(code) && !serverCodes.test(code)
  if (speaksOfPolicy(upstream) || (!isValidation && speaksOfPolicy(message))) return 'content_policy'
  if (/timeout/i.test(code)) return 'timeout'
  if (code === 'taskCancelled') return 'canceled'
  if (/^task.*(NotFound|Expired)$/.test(code)) return 'task_lost'
  if (serverCodes.test(code) || providerCodes.test(code)) return 'upstream_error'
  return isValidation || /(NotFound|Expired)$/.test(code) ? 'invalid_input' : 'upstream_error'
}

/** True for errors after which a task may exist. */
export function isServerError(code = ''): boolean {
  return serverCodes.test(code)
}

/** True for errors of the call, not of the polled task. A limit of the provider behind Runware is one of the task. */
export function isAboutAccount(code = ''): boolean {
  if (/^(provider|thirdParty)/.test(code)) return false
  return keyCodes.test(code) || creditCodes.test(code) || /RateLimit/i.test(code)
}
