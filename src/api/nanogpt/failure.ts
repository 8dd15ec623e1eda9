import { faults } from '../../../providers/fault.ts'
import type { View } from '../../engine/job.ts'

/** Clients tell a content refusal from other failures by one of these words. */
export const refusalWords = /policy|nsfw|safety|moderation|flagged/i

export type Failure = { message: string; type: string; code: string; refused: boolean }

/** Why a job ended without a result; absent: it did not. */
export function failureOf({ state, error }: View): Failure | undefined {
  if (state === 'canceled' && error?.code !== 'canceled') return told('canceled', 'canceled')
  if (state !== 'canceled' && state !== 'failed') return undefined
  return told(error?.code ?? 'upstream_error', error?.message ?? 'The job failed')
}

function told(code: keyof typeof faults, message: string): Failure {
  const refused = code === 'content_policy'
  const marked = refused && !refusalWords.test(message) ? `Content policy: ${message}` : message
  return { message: marked, type: faults[code].type, code, refused }
}
