import type { ProviderName } from '../../providers/provider.ts'
import type { Store } from './store.ts'

/** A job of which nobody knows whether its upstream took it, with what an operator needs to look it up there. */
export type UnknownJob = {
  id: string
  owner: string
  model: string
  costUsd: number
  provider: ProviderName | undefined
  /** Our own id of the attempt; Runware knows it as the task's. */
  attempt: string | undefined
  /** When the attempt was made, unix ms. */
  attemptAt: number | undefined
}

export type UnknownJobs = ReturnType<typeof createUnknownJobs>

/** The operator's view of jobs that ended as `submission_unknown`, until somebody has decided on each. */
export function createUnknownJobs(store: Store) {
  return {
    async list(): Promise<UnknownJob[]> {
      const found = await Promise.all((await store.unknownIds()).map((id) => store.read(id)))
      return found.flatMap((job) =>
        job?.view.error?.code !== 'submission_unknown'
          ? []
          : [
              {
                id: job.view.id,
                owner: job.owner,
                model: job.view.model,
                costUsd: job.view.costUsd,
                provider: job.work.attempt?.provider,
                attempt: job.work.attempt?.id,
                attemptAt: job.work.attempt?.at,
              },
            ],
      )
    },

    /** Takes a job off the list and writes the decision down; answers whose job it was, `undefined` when it was not on the list. */
    async decide(id: string, decision: 'charge' | 'release'): Promise<string | undefined> {
      const job = await store.read(id)
      if (job === undefined || !(await store.unlistUnknown(id))) return undefined
      const reason =
        decision === 'charge' ? 'resolved: the upstream took it' : 'resolved: the upstream did not take it'
      await store.noteLate(id, { at: Date.now(), state: job.view.state, progress: job.view.progress, reason })
      return job.owner
    },
  }
}
