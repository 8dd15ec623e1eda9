import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { providers } from '../../providers/index.ts'
import { createHolds } from '../../src/accounts/holds.ts'
import { createLedger, type Ledger } from '../../src/accounts/ledger.ts'
import { toMicros } from '../../src/accounts/money.ts'
import { readConfig } from '../../src/config/config.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createUnknownJobs } from '../../src/jobs/unknown-jobs.ts'
import { createKeys, type Keys } from '../../src/redis/keys.ts'
import { createRouting } from '../../src/upstreams/routing.ts'
import {
  type Cleanup,
  type StatusReply,
  startRedis,
  startUpstreams,
  temporaryFolder,
} from '../support/setup.ts'

export const operatorKey = 'operator-key-of-the-tests'

/** What a gateway runs on: Redis, mock upstreams and the ledger; and the environment for one or more gateways. */
export async function startBackend(cleanup: Cleanup, changes: Record<string, string> = {}, renderMs = 50) {
  const { url, redis } = await startRedis(cleanup)
  const upstreams = await startUpstreams(cleanup, redis, renderMs)
  const keys = createKeys('reelgate:')
  const env = {
    ...upstreams.env,
    REDIS_URL: url,
    DATA_DIR: await temporaryFolder(cleanup),
    ADMIN_KEY: operatorKey,
    SUBMIT_RPM: '1000000',
    ...changes,
  }
  return { redis, keys, upstreams, env, ...createTestLedger({ redis, keys }) }
}

/** The accounts that the command line uses. */
export function createTestLedger({ redis, keys }: { redis: Redis; keys: Keys }) {
  const config = readConfig({}, Object.values(providers))
  const holds = createHolds({ redis, keys })
  const unknown = createUnknownJobs({
    store: createJobStore({ redis, keys, keepMs: 3_600_000 }),
    holds,
    routing: createRouting({ providers, upstreams: config.upstreams }),
    settingsOf: (provider) => config.upstreams[provider].settings,
    deadlineMs: () => 600_000,
  })
  return { ledger: createLedger({ redis, keys }), holds, unknownJobs: unknown }
}

/** USD 0.50 each. */
export const cheapJob = { model: 'minimax-video', prompt: 'a paper boat' }

export type Reply = { status: number; headers: Headers; body: Record<string, unknown> & { runId: string } }

export function clientOf(address: string, key?: string) {
  async function request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const reply = await fetch(address + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...headers,
        ...(key !== undefined && { 'x-api-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, body: text === '' ? {} : JSON.parse(text) }
  }

  async function waitFor(runId: string, stage: RegExp): Promise<StatusReply & { cost?: number }> {
    for (let polls = 0; polls < 1200; polls++) {
      const { body } = await request('GET', `/api/video/status?requestId=${runId}`)
      if (stage.test(String(body.stage))) return body as unknown as StatusReply
      await sleep(25)
    }
    throw new Error(`job ${runId} did not come to ${stage}`)
  }

  return {
    request,
    submit: (body: Record<string, unknown> = cheapJob) => request('POST', '/api/generate-video', body),
    waitFor,
    waitForEnd: (runId: string) => waitFor(runId, /^(succeeded|failed|canceled)$/),
  }
}

const balanceFields = ['balanceUsd', 'reservedUsd', 'heldUsd', 'spentUsd'] as const

/** Each balance field is the sum of its movements and never negative; each job was reserved once and ended at most once. */
export async function assertLedgersAddUp(ledger: Ledger): Promise<void> {
  for (const account of await ledger.listAccounts()) {
    const movements = await ledger.listMovements(account.id, 1_000_000)
    for (const field of balanceFields) {
      const sum = movements.reduce((micros, movement) => micros + toMicros(movement[field]), 0)
      assert.equal(sum, toMicros(account[field] ?? 0), `${field} of ${account.name}`)
      assert.ok(sum >= 0, `${field} of ${account.name}`)
    }
    const ofJobs = Map.groupBy(
      movements.filter(({ job }) => job !== undefined),
      ({ job }) => job,
    )
    for (const [job, own] of ofJobs) {
      const kinds = own.map(({ kind }) => kind)
      assert.equal(kinds.filter((kind) => kind === 'reserve').length, 1, `${job}: ${kinds}`)
      assert.ok(
        kinds.filter((kind) => kind === 'charge' || kind === 'release').length <= 1,
        `${job}: ${kinds}`,
      )
    }
  }
}
