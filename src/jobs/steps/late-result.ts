import { isTerminal } from '../job.ts'
import type { Next } from '../store/transition.ts'
import { type Parts, partsFor } from './deps.ts'
import { whyNotCalled } from './missing-key.ts'
import { poll } from './poll.ts'

/** Jobs that timed out, in case their upstream still finishes. */
export const lateQueue = 'late'
export const firstLateLookMs = 60_000
/** How long after its deadline a job is still asked for. */
const watchMs = 60 * 60_000

/** A terminal state never changes, but what was paid for and came late is written down. */
export async function lookLate(common: Parts, id: string): Promise<Next> {
  const found = await common.store.read(id)
  const { ticket, attempt, deadlineAt } = found?.work ?? {}
  const now = common.now()
  if (
    found === undefined ||
    // An operator has resumed it.
    !isTerminal(found.view.state) ||
    ticket === undefined ||
    attempt === undefined ||
    now > (deadlineAt ?? 0) + watchMs
  )
    return { kind: 'end' }

  const parts = partsFor(common, found.view)
  if (whyNotCalled(parts, found, attempt.provider) !== undefined)
    return { kind: 'wait', at: now + firstLateLookMs }
  const outcome = await poll(parts, found.view.model, ticket, attempt.provider)
  if (outcome.kind === 'failed' && outcome.fault.code !== 'task_lost') return { kind: 'end' }
  if (outcome.kind === 'done') {
    await parts.store.noteLate(id, {
      at: now,
      kind: 'late_result',
      provider: attempt.provider,
      text: outcome.videos[0].url,
    })
    parts.logger.warn(
      { job: id, provider: attempt.provider },
      'a job that had timed out was finished by its upstream',
    )
    return { kind: 'end' }
  }
  return { kind: 'wait', at: now + firstLateLookMs }
}
