import { type Fault, speaksOfPolicy } from '../faults.ts'
import type { Reply } from '../provider.ts'
import { text } from '../reader.ts'
import { statusFault } from '../replies.ts'

/** Why a call was refused. No list of error codes is published, so the HTTP status decides. */
export function toLongstoriesFault(reply: Reply): Fault {
  const message = messageOf(reply)
  const isPolicy = [400, 403, 422].includes(reply.status) && speaksOfPolicy(message)
  return isPolicy ? { code: 'content_policy', message } : statusFault(reply, message)
}

export function messageOf({ status, body }: Reply): string {
  return (
    text(body, 'error', 'message') ??
    text(body, 'error') ??
    text(body, 'message') ??
    `LongStories answered with HTTP ${status}`
  )
}
