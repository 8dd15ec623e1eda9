import { faults } from '../../../providers/fault.ts'
import type { JobView } from '../../jobs/job.ts'

/** Clients tell a content refusal from other failures by one of these words. */
export const contentRefusalPattern = /policy|nsfw|safety|moderation|flagged/i

export type JobFailure = { message: string; type: string; code: string; isContentRefusal: boolean }

/** Why a job ended without a result; absent: it did not. */
export function toJobFailure({ state, error }: JobView): JobFailure | undefined {
  if (state === 'canceled' && error?.code !== 'canceled') return createFailure('canceled', 'canceled')
  if (state !== 'canceled' && state !== 'failed') return undefined
  return createFailure(error?.code ?? 'upstream_error', error?.message ?? 'The job failed')
}

function createFailure(code: keyof typeof faults, message: string): JobFailure {
  const isContentRefusal = code === 'content_policy'
  const clearMessage =
    isContentRefusal && !contentRefusalPattern.test(message) ? `Content policy: ${message}` : message
  return { message: clearMessage, type: faults[code].type, code, isContentRefusal }
}
