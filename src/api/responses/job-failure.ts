import { type FaultCode, faults, speaksOfPolicy } from '../../../providers/faults.ts'
import type { JobView } from '../../jobs/job.ts'

/** Clients tell a content refusal from other failures by one of these words. */
export const contentRefusalPattern = /policy|nsfw|safety|moderation|flagged/i

export type JobFailure = { message: string; type: string; code: string; isContentRefusal: boolean }

/** Why a job ended without a result; undefined for any other job. */
export function toJobFailure({ state, error }: JobView): JobFailure | undefined {
  if (state === 'canceled' && error?.code !== 'canceled') return createFailure('canceled', 'canceled')
  if (state !== 'canceled' && state !== 'failed') return undefined
  return createFailure(error?.code ?? 'upstream_error', error?.message ?? 'The job failed')
}

function createFailure(code: FaultCode, message: string): JobFailure {
  const isContentRefusal = code === 'content_policy'
  const text = isContentRefusal ? toRefusalText(message) : toFailureText(code, message)
  return { message: text, type: faults[code].type, code, isContentRefusal }
}

function toRefusalText(message: string): string {
  return contentRefusalPattern.test(message) ? message : `Content policy: ${message}`
}

/** A text that clients would take for a content refusal is replaced. */
function toFailureText(code: FaultCode, message: string): string {
  if (!speaksOfPolicy(message)) return message
  return faults[code].blame === 'client'
    ? 'The upstream refused the input'
    : 'The upstream could not render the video'
}
