import { type Fault, type FaultCode, fault, speaksOfPolicy } from '../faults.ts'
import type { Order, Reply } from '../provider.ts'
import { number, text } from '../reader.ts'
import { statusFault } from '../replies.ts'

/** `code` of a refused submission; 30 is a relay's own code for 429. */
const codes: Readonly<Record<number, FaultCode>> = {
  3: 'upstream_error',
  4: 'invalid_input',
  9: 'upstream_error',
  21: 'upstream_error',
  23: 'rate_limited',
  24: 'content_policy',
  30: 'rate_limited',
}

export function isMidjourneyErrorCode(code: number): boolean {
  return codes[code] !== undefined
}

/** Why a submission was refused. */
export function toMidjourneyFault(reply: Reply, order: Order): Fault {
  const code = number(reply.body, 'code') ?? 0
  const bannedWord = text(reply.body, 'properties', 'bannedWord')
  const message = `${messageOf(reply)}${bannedWord === undefined ? '' : ` (${bannedWord})`}`
  if (code === 24 || speaksOfPolicy(message)) return fault('content_policy', message)
  // A relay reports an empty account under code 4 or under 403.
  if (/quota_not_enough|insufficient.*(quota|balance|credit)|额度不足|余额不足/i.test(message))
    return fault('no_credit', message)
  if ([401, 402, 403, 429].includes(reply.status)) return statusFault(reply, message)
  if (code === 3 && order.input.extendTask !== undefined) return fault('task_lost', message)
  return statusFault(reply, message, codes[code])
}

/** Why a poll was refused. */
export function toMidjourneyPollFault(reply: Reply): Fault {
  return statusFault(reply, messageOf(reply))
}

/** Why an accepted task failed. */
export function toMidjourneyTaskFault(task: unknown): Fault {
  const message = text(task, 'failReason') ?? text(task, 'fail_reason') ?? 'The task failed without a reason'
  if (speaksOfPolicy(message)) return fault('content_policy', message)
  // The proxy reports a cancel as FAILURE, in its configured language.
  return fault(/cancel|取消/i.test(message) ? 'canceled' : 'upstream_error', message)
}

function messageOf({ status, body }: Reply): string {
  return (
    text(body, 'description') ??
    text(body, 'message') ??
    text(body, 'error', 'message') ??
    text(body, 'error') ??
    `The proxy answered with HTTP ${status}`
  )
}
