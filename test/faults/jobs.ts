import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { providers } from '../../providers/index.ts'
import type { ProviderName } from '../../providers/provider.ts'
import { createLedger } from '../../src/accounts/ledger.ts'
import { toMicros } from '../../src/accounts/money.ts'
import type { Model } from '../../src/catalogue/model.ts'
import { findModel } from '../../src/catalogue/models/index.ts'
import { createKeys } from '../../src/redis/keys.ts'
import type { SandboxHost } from '../../src/sandbox/mock-server.ts'
import type { clientOf } from '../accounts/test-accounts.ts'
import { leastRequest } from '../support/least-request.ts'
import { endsOf } from './cluster.ts'
import type { Row } from './print-counts.ts'

/** The upstreams that most of these suites use, with one model each. */
export const models = {
  fal: 'kling-video',
  wavespeed: 'wan-wavespeed-video-edit',
  runware: 'vidu-video',
  bytedance: 'bytedance-seedance-v1-pro-fast',
  magicapi: 'magicapi-video-face-swap',
} as const satisfies Partial<Record<ProviderName, string>>

/** One model for each upstream: its first one, unless these suites name another. */
export const modelByUpstream = {
  ...Object.fromEntries(
    Object.values(providers).map((provider) => [provider.name, Object.keys(provider.models)[0] ?? '']),
  ),
  ...models,
} as Readonly<Record<ProviderName, string>>

export type Upstream = keyof typeof models

/** `mark` is part of the prompt, so that the upstream's tasks show whose they are. */
export type SentJob<Provider = ProviderName> = { id: string; provider: Provider; mark: string }

export type Client = ReturnType<typeof clientOf>

export const redisKeys = createKeys('reelgate:')

const attempts = 600
const pauseMs = 150

export async function submitJobs(
  client: Client,
  { name, count, providers }: { name: string; count: number; providers: readonly Upstream[] },
): Promise<SentJob<Upstream>[]> {
  const jobs: SentJob<Upstream>[] = []
  for (let number = 0; number < count; number++) {
    for (const provider of providers) {
      const mark = `job-${name}-${provider}-${number}-end`
      const { status, body } = await client.submit(requestFor(provider, mark))
      assert.equal(status, 202, JSON.stringify(body))
      jobs.push({ id: body.runId, provider, mark })
    }
  }
  return jobs
}

/** The smallest request for an upstream, with the mark in a field that the upstream receives. */
export function requestFor(provider: Upstream, mark: string): Record<string, unknown> {
  return withMark(findModel(models[provider]) ?? assert.fail(`no model for ${provider}`), mark)
}

/** The least request of a model, with a mark in its prompt or, if it takes none, in a link. */
export function withMark(model: Model, mark: string): Record<string, unknown> {
  const least = leastRequest(model)
  if ('prompt' in model.fields) return { ...least, prompt: mark }
  const [field] = Object.entries(least).find(([, value]) => /^https?:/.test(String(value))) ?? []
  assert.ok(field !== undefined, `${model.id} takes neither a prompt nor a link`)
  return { ...least, [field]: `https://files.example/${mark}.png` }
}

/** How many tasks each job has made at its upstream, in the order of the jobs. */
export async function purchasesOf(host: SandboxHost, jobs: readonly SentJob[]): Promise<number[]> {
  const providers = [...new Set(jobs.map(({ provider }) => provider))]
  const bodies = new Map(
    await Promise.all(
      providers.map(async (provider) => {
        const tasks = await host.tasks(provider)
        return [provider, tasks.map(({ body }) => JSON.stringify(body))] as const
      }),
    ),
  )
  return jobs.map(
    ({ provider, mark }) => bodies.get(provider)?.filter((body) => body.includes(mark)).length ?? 0,
  )
}

/** Resolves to false when the condition does not hold within the time. */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  { times = attempts, everyMs = pauseMs } = {},
): Promise<boolean> {
  for (let tried = 0; tried < times; tried++) {
    if (await holds()) return true
    await sleep(everyMs)
  }
  return false
}

/** Waits until every job has made its task at the upstream. */
export async function waitForPurchases(host: SandboxHost, jobs: readonly SentJob[]): Promise<void> {
  const all = async () => (await purchasesOf(host, jobs)).every((count) => count > 0)
  assert.ok(await waitUntil(all, { everyMs: 20 }), 'not every job was purchased')
}

export async function stateOf(redis: Redis, { id }: SentJob): Promise<string> {
  return (await redis.hget(redisKeys.job(id), 'state')) ?? 'absent'
}

/** The state and the error code with which a job ended; undefined when it did not end. */
export async function endOf(client: Client, { id }: SentJob): Promise<string | undefined> {
  let end: string | undefined
  await waitUntil(async () => {
    const reply = await client.request('GET', `/api/video-status?runId=${id}`).catch(() => undefined)
    const { status, error } = (reply?.body ?? {}) as { status?: string; error?: { code?: string } | null }
    if (reply?.status === 200 && /^(succeeded|failed|canceled)$/.test(status ?? ''))
      end = error?.code === undefined ? status : `${status} ${error.code}`
    return end !== undefined
  })
  return end
}

type Counted = { host: SandboxHost; redis: Redis; client: Client; jobs: readonly SentJob[] }

export type Counts = Omit<Row, 'suite' | 'faults'> & {
  discarded: number
  ledger: number
  /** The end of each job, in their order. */
  ended: readonly (string | undefined)[]
  /** How often each end came, for messages. */
  ends: Readonly<Record<string, number>>
  /** Tasks of each job at its upstream. */
  made: readonly number[]
}

/** Waits until the jobs have ended and compares them with the upstreams' own tasks and with the ledger. */
export async function countJobs({ host, redis, client, jobs }: Counted): Promise<Counts> {
  const ended = await Promise.all(jobs.map((job) => endOf(client, job)))
  const made = await purchasesOf(host, jobs)
  const histories = await Promise.all(jobs.map(({ id }) => endsOf(redis, id)))
  const ends: Record<string, number> = {}
  for (const end of ended) ends[end ?? 'not ended'] = (ends[end ?? 'not ended'] ?? 0) + 1
  return {
    jobs: jobs.length,
    lost: ended.filter((end) => end === undefined).length,
    most: Math.max(...made),
    doubleEnds: histories.filter((count) => count > 1).length,
    discarded: ended.filter((end, index) => (made[index] ?? 0) > 0 && end !== 'succeeded').length,
    ledger: await ledgerDifferences(redis, jobs, made),
    ended,
    ends,
    made,
  }
}

const balanceFields = ['balanceUsd', 'reservedUsd', 'heldUsd', 'spentUsd'] as const

/** Balances that are not the sum of their movements, and jobs charged twice, or charged without a task at the upstream. */
async function ledgerDifferences(
  redis: Redis,
  jobs: readonly SentJob[],
  made: readonly number[],
): Promise<number> {
  const ledger = createLedger({ redis, keys: redisKeys })
  let differences = 0
  for (const account of await ledger.listAccounts()) {
    const movements = await ledger.listMovements(account.id, 1_000_000)
    for (const field of balanceFields) {
      const sum = movements.reduce((micros, movement) => micros + toMicros(movement[field]), 0)
      if (sum !== toMicros(account[field] ?? 0) || sum < 0) differences += 1
    }
    const charged = (id: string) =>
      movements.filter(({ job, kind }) => job === id && kind === 'charge').length
    differences += jobs.filter(({ id }, index) => charged(id) > Math.min(made[index] ?? 0, 1)).length
  }
  return differences
}

/** The movements of money of each job, oldest first. */
export async function ledgerKinds(redis: Redis, jobs: readonly SentJob[]): Promise<string[][]> {
  const ledger = createLedger({ redis, keys: redisKeys })
  const accounts = await ledger.listAccounts()
  const movements = (await Promise.all(accounts.map(({ id }) => ledger.listMovements(id, 1_000_000)))).flat()
  return jobs.map(({ id }) => movements.flatMap(({ job, kind }) => (job === id ? [kind] : [])).toReversed())
}

/** Checks the invariants after every fault. Only suites in which every render survives check `discarded`. */
export function assertSound(counts: Counts): void {
  const { jobs, lost, most, doubleEnds, ledger, ends, made } = counts
  const twice = made.filter((count) => count > 1).length
  const context = `ends: ${JSON.stringify(ends)}`
  assert.ok(most <= 1, `${twice} of ${jobs} jobs purchased more than once; ${context}`)
  assert.equal(lost, 0, `${lost} of ${jobs} jobs did not end; ${context}`)
  assert.equal(doubleEnds, 0, `${doubleEnds} of ${jobs} jobs ended more than once; ${context}`)
  assert.equal(ledger, 0, `${ledger} differences in the ledger; ${context}`)
}

export function assertKept(counts: Counts): void {
  assertSound(counts)
  const { jobs, discarded, ends } = counts
  assert.equal(
    discarded,
    0,
    `${discarded} of ${jobs} paid results were discarded; ends: ${JSON.stringify(ends)}`,
  )
}

/** Delivers the upstreams' callbacks as they do: repeatedly until the gateway returns 2xx; once if `untilTaken` is false. `taken` has the replies. */
export async function deliverCallbacks(
  host: SandboxHost,
  jobs: readonly SentJob[],
  { untilTaken = true, taken = new Set<string>() } = {},
): Promise<void> {
  const ids = new Set(jobs.map(({ id }) => id))
  for (const provider of new Set(jobs.map((job) => job.provider))) {
    for (const { id, hook } of await host.tasks(provider)) {
      const job = hook?.split('/hooks/')[1]?.split('/')[0] ?? ''
      if (hook === undefined || !ids.has(job) || taken.has(id)) continue
      const body = JSON.stringify({ id, request_id: id, taskUUID: id, status: 'done' })
      const deliver = () =>
        fetch(hook, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(
          ({ ok }) => ok,
          () => false,
        )
      if (await (untilTaken ? waitUntil(deliver) : deliver())) taken.add(id)
    }
  }
}
