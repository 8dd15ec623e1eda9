import type { Redis } from 'ioredis'
import type { Alike, Outcome, Provider, ProviderName, Ticket } from '../../../providers/provider.ts'
import type { Keys } from '../../redis/keys.ts'
import { observeServer, purchasesPaused } from './epoch.ts'

/**
 * KEYS task, identical requests. ARGV job, keep ms. Makes the task the job's, unless it is another job's, and takes the job off those whose reply is
 * awaited. Returns the job that the task belongs to.
 */
const claimTask = `
local owner = redis.call('GET', KEYS[1])
if not owner then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
redis.call('ZREM', KEYS[2], ARGV[1])
return owner or ARGV[1]
`

/**
 * KEYS task, identical requests, epoch. ARGV job, keep ms, failover grace ms, server. Like `claimTask`, for a task that no reply has named to the job. Returns
 * '' when another server answers than the one given, or one that has just taken over: the claim of another job may be about to be restored.
 */
const claimAlike = `${purchasesPaused}
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
export type Choice = {
  job: string
  fingerprint: string
  awaitedSince: number
  /** Whether this process has given a server the attempts that its machine remembers. */
  hasRestored(server: string): boolean
}

/** Which job an upstream's task belongs to. A task belongs to one job: it is claimed before its reply is used. */
export function createTaskClaims({ redis, keys, graceMs, claimMs }: Options) {
  redis.defineCommand('reelgateClaimTask', { lua: claimTask, numberOfKeys: 2 })
  redis.defineCommand('reelgateClaimAlike', { lua: claimAlike, numberOfKeys: 3 })
  const commands = redis as unknown as {
    reelgateClaimTask(task: string, identical: string, job: string, keepMs: number): Promise<string>
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
  const taskKey = ({ name, task }: Provider, ticket: Ticket) => keys.task(name, task.id(ticket))
  /** As the version before claims of every upstream named it. */
  const formerKey = (name: ProviderName, ticket: Ticket) => keys.task(name, JSON.stringify(ticket))

  async function claim(
    provider: Provider,
    ticket: Ticket,
    { job, fingerprint }: Pick<Choice, 'job' | 'fingerprint'>,
  ): Promise<boolean> {
    const identical = keys.identicalRequests(provider.name, fingerprint)
    return (await commands.reelgateClaimTask(taskKey(provider, ticket), identical, job, claimMs)) === job
  }

  return {
    /** False: the task is another job's. */
    claimTask: claim,

    /** The reply to an attempt may still come, so that no identical job may take its task until then. `at`: when the attempt began, unix ms. */
    async awaitAttempt(
      provider: ProviderName,
      { job, fingerprint }: Pick<Choice, 'job' | 'fingerprint'>,
      at: number,
    ) {
      if (fingerprint === '') return
      const identical = keys.identicalRequests(provider, fingerprint)
      await redis.multi().zadd(identical, at, job).pexpire(identical, claimMs).exec()
    },

    /** The attempt's reply is not awaited any more. */
    async forgetAttempt(provider: ProviderName, { job, fingerprint }: Pick<Choice, 'job' | 'fingerprint'>) {
      await redis.zrem(keys.identicalRequests(provider, fingerprint), job)
    },

    /**
     * Which of the tasks that look like the job's is the job's from now on. `undefined`: none, or nobody can say which. `awaited`: one of them may
     * belong to a job whose own reply is still to come, or whose claim is still to be restored after a failover.
     */
    async chooseTask(
      provider: Provider,
      { tasks, same }: Alike,
      { job, fingerprint, awaitedSince, hasRestored }: Choice,
    ): Promise<Outcome | 'awaited' | undefined> {
      if (tasks.length === 0) return undefined
      const identical = keys.identicalRequests(provider.name, fingerprint)
      const { server } = await observeServer({ redis, keys, graceMs })
      const awaiting = await redis.zrangebyscore(identical, awaitedSince, '+inf')
      const owners = await redis.mget(
        tasks.flatMap(({ ticket }) => [taskKey(provider, ticket), formerKey(provider.name, ticket)]),
      )
      const owner = (index: number) => owners[2 * index] ?? owners[2 * index + 1] ?? undefined
      const own = tasks.find((_, index) => owner(index) === job)
      if (own !== undefined) return own.outcome
      if (awaiting.some((id) => id !== job) || !hasRestored(server)) return 'awaited'
      const free = tasks.filter((_, index) => owner(index) === undefined)
      if (free.length > 1 && !same) return undefined
      for (const { ticket, outcome } of free) {
        const args = [
          taskKey(provider, ticket),
          identical,
          keys.epoch,
          job,
          claimMs,
          graceMs,
          server,
        ] as const
        const claimant = await commands.reelgateClaimAlike(...args)
        if (claimant === job) return outcome
        if (claimant === '') return 'awaited'
      }
      return undefined
    },
  }
}
