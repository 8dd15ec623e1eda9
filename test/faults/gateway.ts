import assert from 'node:assert/strict'
import type { Redis } from 'ioredis'
import { createLedger } from '../../src/accounts/ledger.ts'
import { findModel } from '../../src/catalogue/models/index.ts'
import { clientOf } from '../accounts/test-accounts.ts'
import { type Cleanup, startUpstreams, temporaryFolder } from '../support/setup.ts'
import { onlyThese, startNode, startServer } from './cluster.ts'
import { models, redisKeys, type SentJob, stateOf, waitUntil } from './jobs.ts'

export type MockUpstreams = Awaited<ReturnType<typeof startMockUpstreams>>

type Env = Readonly<Record<string, string>>

/** Mock upstreams on a separate Redis, and the settings of a gateway that uses them. */
export async function startMockUpstreams(cleanup: Cleanup, renderMs: number) {
  const own = await startServer(cleanup)
  const { host, env } = await startUpstreams(cleanup, own.redis, renderMs)
  const offersFile = await onlyThese(
    cleanup,
    Object.entries(models).map(([provider, model]) => ({
      model,
      provider,
      all: findModel(model)?.providers ?? [],
    })),
  )
  const settings = {
    ...env,
    UPSTREAM_OVERRIDES_FILE: offersFile,
    POLL_MAX_MS: '300',
    SUBMIT_RPM: '100000',
    UPSTREAM_TIMEOUT_SECONDS: '10',
    RECONCILE_SECONDS: '25',
  }
  return { host, env: settings }
}

/** An account with a balance, and a client that uses its key. */
export async function createAccount(redis: Redis, address: string) {
  const ledger = createLedger({ redis, keys: redisKeys })
  const { key } = await ledger.createAccount({ name: 'faults', balanceUsd: 10_000 })
  return { client: clientOf(address, key) }
}

/**
 * An API in a separate process, and a client with an account. `start` starts further processes with the same settings; `cleanup` kills all of
 * them. `redis`: a connection to the server that `env` names.
 */
export async function startGateway(cleanup: Cleanup, { redis, env }: { redis: Redis; env: Env }) {
  const settings = { ...env, DATA_DIR: env.DATA_DIR ?? (await temporaryFolder(cleanup)) }
  async function start(own: Env) {
    const node = await startNode({ ...settings, ...own })
    cleanup.add(() => node.kill())
    return node
  }
  const api = await start({ ROLE: 'api' })
  return {
    ...(await createAccount(redis, api.address)),
    address: api.address,
    env: settings,
    start,
    startWorker: (own: Env = {}) => start({ ROLE: 'worker', ...own }),
  }
}

/** A gateway with one worker and a Redis server of its own. */
export async function startWholeGateway(cleanup: Cleanup, env: Env) {
  const server = await startServer(cleanup)
  const gateway = await startGateway(cleanup, {
    redis: server.redis,
    env: { REDIS_URL: server.path, ...env },
  })
  return { ...gateway, server, redis: server.redis, worker: await gateway.startWorker() }
}

/** Waits until the upstreams' replies to `count` of these jobs are in Redis. */
export async function waitForReplies(redis: Redis, jobs: readonly SentJob[], count: number): Promise<void> {
  const arrived = async () => {
    const states = await Promise.all(jobs.map((job) => stateOf(redis, job)))
    return states.filter((state) => /^(queued|processing|generating|succeeded)$/.test(state)).length >= count
  }
  assert.ok(await waitUntil(arrived, { everyMs: 20 }), `the replies to ${count} jobs have not arrived`)
}
