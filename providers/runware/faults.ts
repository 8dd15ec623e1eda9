import { codeOfStatus, type Fault, type FaultCode, speaksOfPolicy } from '../fault.ts'
import { type Reply, statusFault } from '../provider.ts'
import { text } from '../reader.ts'

/** Longer texts hold whole pages of an upstream behind Runware. */
const longestText = 600

/** What an error of Runware means; without one, what the HTTP status says. */
export function explain(reply: Reply, error?: unknown): Fault {
  const upstream = text(error, 'responseContent') ?? text(error, 'responseContent', 'data', 'task_status_msg')
  const message = text(error, 'message') ?? `Runware answered HTTP ${reply.status}`
  const code = codeOf(reply.status, text(error, 'code'), message, upstream)
  const said = upstream === undefined || message.includes(upstream) ? message : `${message} (${upstream})`
  return statusFault(reply, worded(code, said.slice(0, longestText)), code)
}

// This one begins like a malformed request and is what a provider's moderation really answers with.
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

/** Runware keeps hundreds of codes and calls the set unstable, so that their wording decides where one is not known. */
function codeOf(status: number, code: string | undefined, message: string, upstream = ''): FaultCode {
  if (code === undefined) return codeOfStatus(status)
  if (policyCodes.test(code)) return 'content_policy'
  if (creditCodes.test(code)) return 'no_credit'
  if (/RateLimit/i.test(code)) return 'rate_limited'
  if (keyCodes.test(code)) return 'bad_credentials'
  if (/^(modelNotFound|unknownModel)$/.test(code)) return 'endpoint_gone'
  const ours = validationCodes.test(code) && !serverCodes.test(code)
  if (speaksOfPolicy(upstream) || (!ours && speaksOfPolicy(message))) return 'content_policy'
  if (/timeout/i.test(code)) return 'timeout'
  if (code === 'taskCancelled') return 'canceled'
  if (/^task.*(NotFound|Expired)$/.test(code)) return 'task_lost'
  if (serverCodes.test(code) || providerCodes.test(code)) return 'upstream_error'
  return ours || /(NotFound|Expired)$/.test(code) ? 'invalid_input' : 'upstream_error'
}

/** True for errors after which nobody can tell whether a task was made. */
export function isTroubleOfItsOwn(code = ''): boolean {
  return serverCodes.test(code)
}

/** True for errors of the call, not of the task it asks about. A limit of the provider behind Runware did hit the task. */
export function tellsOfOurAccount(code = ''): boolean {
  if (/^(provider|thirdParty)/.test(code)) return false
  return keyCodes.test(code) || creditCodes.test(code) || /RateLimit/i.test(code)
}

// Clients tell a content refusal by these words in its text.
function worded(code: FaultCode, said: string): string {
  const plain = code !== 'content_policy' || /policy|nsfw|safety|moderation|flagged/i.test(said)
  return plain ? said : `Content policy: ${said}`
}
