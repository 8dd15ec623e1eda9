import type { Redis } from 'ioredis'
import type {
  Outcome,
  Provider,
  ProviderName,
  TaskCandidates,
  TaskReference,
} from '../../../providers/provider.ts'
import type { Keys } from '../../redis/keys.ts'
import { defineScript, loadScript } from '../../redis/script.ts'
import { observeRedisServer } from './epoch.ts'

const claimTaskScript = loadScript('jobs/claim-task', {
  keys: 'task identicalRequests',
  args: 'job keepMs',
})
const claimCandidateScript = loadScript('jobs/claim-candidate', {
  keys: 'task identicalRequests epoch',
  args: 'job keepMs graceMs server',
})

type Options = {
  redis: Redis
  keys: Keys
  graceMs: number
  /** How long a claim is kept, ms: longer than any job runs. */
  claimMs: number
}

/** The job that claims a task, and what is known about other jobs that sent an identical request. */
export type TaskClaimant = {
  job: string
  fingerprint: string
  awaitedSince: number
  /** Whether this process has written the attempts in its machine's journal to this Redis server. */
  hasRestored(server: string): boolean
}

/** Records which job an upstream's task belongs to. A task belongs to one job: it is claimed before its reply is used. */
export function createTaskClaims({ redis, keys, graceMs, claimMs }: Options) {
  const claimTaskInRedis = defineScript(redis, 'reelgateClaimTask', claimTaskScript)
  const claimCandidateInRedis = defineScript(redis, 'reelgateClaimAlike', claimCandidateScript)
  const taskKey = ({ name, task }: Provider, ticket: TaskReference) => keys.task(name, task.id(ticket))
  /** The name of the claim in older versions. */
  const legacyTaskKey = (name: ProviderName, ticket: TaskReference) => keys.task(name, JSON.stringify(ticket))

  async function claimTask(
    provider: Provider,
    ticket: TaskReference,
    { job, fingerprint }: Pick<TaskClaimant, 'job' | 'fingerprint'>,
  ): Promise<boolean> {
    const identicalRequests = keys.identicalRequests(provider.name, fingerprint)
    const claimedBy = await claimTaskInRedis<string>({
      keys: { task: taskKey(provider, ticket), identicalRequests },
      args: { job, keepMs: claimMs },
    })
    return claimedBy === job
  }

  return {
    /** False: the task belongs to another job. */
    claimTask,

    /** Records that the reply to an attempt is awaited. Until it comes, no identical job may claim its task. `at`: when the attempt began, unix ms. */
    async markReplyAwaited(
      provider: ProviderName,
      { job, fingerprint }: Pick<TaskClaimant, 'job' | 'fingerprint'>,
      at: number,
    ) {
      if (fingerprint === '') return
      const identicalKey = keys.identicalRequests(provider, fingerprint)
      await redis.multi().zadd(identicalKey, at, job).pexpire(identicalKey, claimMs).exec()
    },

    /** Records that the reply is no longer awaited. */
    async clearReplyAwaited(
      provider: ProviderName,
      { job, fingerprint }: Pick<TaskClaimant, 'job' | 'fingerprint'>,
    ) {
      await redis.zrem(keys.identicalRequests(provider, fingerprint), job)
    },

    /**
     * Claims one of the tasks that match the job's request. `undefined`: there is none, or it is unknown which one. `awaited`: one of them may belong
     * to a job whose reply is still awaited, or whose claim has yet to be restored after a failover.
     */
    async claimCandidate(
      provider: Provider,
      { tasks, same }: TaskCandidates,
      { job, fingerprint, awaitedSince, hasRestored }: TaskClaimant,
    ): Promise<Outcome | 'awaited' | undefined> {
      if (tasks.length === 0) return undefined
      const identicalKey = keys.identicalRequests(provider.name, fingerprint)
      const { server } = await observeRedisServer({ redis, keys, graceMs })
      const awaitingJobs = await redis.zrangebyscore(identicalKey, awaitedSince, '+inf')
      const claims = await redis.mget(
        tasks.flatMap(({ ticket }) => [taskKey(provider, ticket), legacyTaskKey(provider.name, ticket)]),
      )
      const claimOf = (index: number) => claims[2 * index] ?? claims[2 * index + 1] ?? undefined
      const ownTask = tasks.find((_, index) => claimOf(index) === job)
      if (ownTask !== undefined) return ownTask.outcome
      if (awaitingJobs.some((id) => id !== job) || !hasRestored(server)) return 'awaited'
      const unclaimed = tasks.filter((_, index) => claimOf(index) === undefined)
      if (unclaimed.length > 1 && !same) return undefined
      for (const { ticket, outcome } of unclaimed) {
        const claimedBy = await claimCandidateInRedis<string>({
          keys: { task: taskKey(provider, ticket), identicalRequests: identicalKey, epoch: keys.epoch },
          args: { job, keepMs: claimMs, graceMs, server },
        })
        if (claimedBy === job) return outcome
        if (claimedBy === '') return 'awaited'
      }
      return undefined
    },
  }
}
