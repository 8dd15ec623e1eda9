import { isTerminal } from '../job.ts'
import type { NextStep } from '../store/transition.ts'
import { depsForJob, type StepDeps } from './deps.ts'
import { explainMissingKey } from './missing-key.ts'
import { pollTask } from './poll.ts'

/** Polls jobs that have timed out, in case their upstream still finishes. */
export const lateResultQueue = 'late'
export const latePollIntervalMs = 60_000
/** How long after its deadline a job is still polled. */
const latePollPeriodMs = 60 * 60_000

/** Adds a note if the upstream finishes after the job has ended. The state does not change. */
export async function pollForLateResult(deps: StepDeps, id: string): Promise<NextStep> {
  const job = await deps.store.read(id)
  const { ticket, attempt, deadlineAt } = job?.work ?? {}
  const now = deps.now()
  if (
    job === undefined ||
    // An operator has resumed it.
    !isTerminal(job.view.state) ||
    ticket === undefined ||
    attempt === undefined ||
    now > (deadlineAt ?? 0) + latePollPeriodMs
  )
    return { kind: 'end' }

  const jobDeps = depsForJob(deps, job.view)
  if (explainMissingKey(jobDeps, job, attempt.provider) !== undefined)
    return { kind: 'wait', at: now + latePollIntervalMs }
  const outcome = await pollTask(jobDeps, job.view.model, ticket, attempt.provider)
  if (outcome.kind === 'failed' && outcome.fault.code !== 'task_lost') return { kind: 'end' }
  if (outcome.kind === 'done') {
    await jobDeps.store.addNote(id, {
      at: now,
      kind: 'late_result',
      provider: attempt.provider,
      text: outcome.videos[0].url,
    })
    jobDeps.logger.warn({ job: id, provider: attempt.provider }, 'Upstream finished a job after its timeout')
    return { kind: 'end' }
  }
  return { kind: 'wait', at: now + latePollIntervalMs }
}
