import type { Redis } from 'ioredis'
import type {
  Outcome,
  Provider,
  ProviderName,
  TaskCandidates,
  TaskReference,
} from '../../../providers/provider.ts'
import type { Keys } from '../../redis/keys.ts'
import { observeRedisServer, purchasesPausedLua } from './epoch.ts'

/**
 * KEYS task, identical requests. ARGV job, keep ms. Makes the task the job's, unless it is another job's, and takes the job off those whose reply is
 * awaited. Returns the job that the task belongs to.
 */
const claimTaskScript = `
local owner = redis.call('GET', KEYS[1])
if not owner then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
redis.call('ZREM', KEYS[2], ARGV[1])
return owner or ARGV[1]
`

/**
 * KEYS task, identical requests, epoch. ARGV job, keep ms, failover grace ms, server. Like `claimTask`, for a task that no reply has named to the job. Returns
 * '' when another server answers than the one given, or one that has just taken over: the claim of another job may be about to be restored.
 */
const claimCandidateScript = `${purchasesPausedLua}
local owner = redis.call('GET', KEYS[1])
if owner then return owner end
local pausedMs, server = purchasesPaused(KEYS[3], tonumber(ARGV[3]), false)
if pausedMs > 0 or server ~= ARGV[4] then return '' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
return ARGV[1]
`

type Options = {
  redis: Redis
  keys: Keys
  graceMs: number
  /** How long a claim is kept, ms: longer than any job runs. */
  claimMs: number
}

/** What is known of the other jobs that asked an upstream for exactly the same. */
export type TaskClaimant = {
  job: string
  fingerprint: string
  awaitedSince: number
  /** Whether this process has given a server the attempts that its machine remembers. */
  hasRestored(server: string): boolean
}

/** Which job an upstream's task belongs to. A task belongs to one job: it is claimed before its reply is used. */
export function createTaskClaims({ redis, keys, graceMs, claimMs }: Options) {
  redis.defineCommand('reelgateClaimTask', { lua: claimTaskScript, numberOfKeys: 2 })
  redis.defineCommand('reelgateClaimAlike', { lua: claimCandidateScript, numberOfKeys: 3 })
  const commands = redis as unknown as {
    reelgateClaimTask(task: string, identicalKey: string, job: string, keepMs: number): Promise<string>
    reelgateClaimAlike(
      ...args: [
        task: string,
        identical: string,
        epoch: string,
        job: string,
        keepMs: number,
        graceMs: number,
        server: string,
      ]
    ): Promise<string>
  }
  const taskKey = ({ name, task }: Provider, ticket: TaskReference) => keys.task(name, task.id(ticket))
  /** As the version before claims of every upstream named it. */
  const legacyTaskKey = (name: ProviderName, ticket: TaskReference) => keys.task(name, JSON.stringify(ticket))

  async function claimTask(
    provider: Provider,
    ticket: TaskReference,
    { job, fingerprint }: Pick<TaskClaimant, 'job' | 'fingerprint'>,
  ): Promise<boolean> {
    const identicalKey = keys.identicalRequests(provider.name, fingerprint)
    return (await commands.reelgateClaimTask(taskKey(provider, ticket), identicalKey, job, claimMs)) === job
  }

  return {
    /** False: the task is another job's. */
    claimTask,

    /** The reply to an attempt may still come, so that no identical job may take its task until then. `at`: when the attempt began, unix ms. */
    async markReplyAwaited(
      provider: ProviderName,
      { job, fingerprint }: Pick<TaskClaimant, 'job' | 'fingerprint'>,
      at: number,
    ) {
      if (fingerprint === '') return
      const identicalKey = keys.identicalRequests(provider, fingerprint)
      await redis.multi().zadd(identicalKey, at, job).pexpire(identicalKey, claimMs).exec()
    },

    /** The attempt's reply is not awaited any more. */
    async clearReplyAwaited(
      provider: ProviderName,
      { job, fingerprint }: Pick<TaskClaimant, 'job' | 'fingerprint'>,
    ) {
      await redis.zrem(keys.identicalRequests(provider, fingerprint), job)
    },

    /**
     * Which of the tasks that look like the job's is the job's from now on. `undefined`: none, or nobody can say which. `awaited`: one of them may
     * belong to a job whose own reply is still to come, or whose claim is still to be restored after a failover.
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
        const scriptArgs = [
          taskKey(provider, ticket),
          identicalKey,
          keys.epoch,
          job,
          claimMs,
          graceMs,
          server,
        ] as const
        const claimedBy = await commands.reelgateClaimAlike(...scriptArgs)
        if (claimedBy === job) return outcome
        if (claimedBy === '') return 'awaited'
      }
      return undefined
    },
  }
}
