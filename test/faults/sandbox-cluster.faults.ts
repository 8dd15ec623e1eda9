import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLedger } from '../../src/accounts/ledger.ts'
import { findModel } from '../../src/catalogue/models/index.ts'
import { leastRequest } from '../support/least-request.ts'
import { createCleanup, temporaryFolder } from '../support/setup.ts'
import { freePort, type Node, startNode, startServer } from './cluster.ts'
import { modelByUpstream, redisKeys, waitUntil } from './jobs.ts'

const jobCount = 100

const names = ['first API', 'second API', 'first worker', 'second worker'] as const
type Name = (typeof names)[number]

/** Sandbox gateways as separate processes on one Redis and one folder: two APIs and two workers, each with mock upstreams. */
describe('two APIs and two workers in the sandbox', () => {
  const cleanup = createCleanup()
  const nodes = new Map<Name, Node>()
  const addresses = new Map<Name, string>()
  let server: Awaited<ReturnType<typeof startServer>>
  let env: Record<string, string>
  let key: string
  let submits = 0

  async function start(name: Name): Promise<void> {
    const port = new URL(addresses.get(name) ?? '').port
    nodes.set(name, await startNode({ ...env, ROLE: name.endsWith('API') ? 'api' : 'worker', PORT: port }))
  }

  async function restart(name: Name, how: 'stop' | 'kill'): Promise<void> {
    await nodes.get(name)?.[how]()
    await start(name)
  }

  /** Calls one API, and the other one if the first does not reply, like a load balancer. */
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { 'x-api-key': key, 'content-type': 'application/json', ...init.headers }
    for (let tries = 0; ; tries++) {
      const address = addresses.get((submits + tries) % 2 === 0 ? 'first API' : 'second API') ?? ''
      try {
        const reply = await fetch(address + path, { ...init, headers })
        if (reply.status !== 503 || tries > 100) return reply
      } catch (cause) {
        if (tries > 100) throw cause
      }
      await sleep(50)
    }
  }

  async function submit(): Promise<string> {
    const number = submits++
    const all = Object.values(modelByUpstream)
    const model = findModel(all[number % all.length] ?? '') ?? assert.fail()
    const body = JSON.stringify(leastRequest(model))
    const reply = await request('/api/generate-video', {
      method: 'POST',
      body,
      headers: { 'idempotency-key': `sandbox-cluster-${number}` },
    })
    const submitted = (await reply.json()) as { runId: string; sandbox?: boolean }
    assert.equal(reply.status, 202, JSON.stringify(submitted))
    assert.equal(submitted.sandbox, true)
    return submitted.runId
  }

  type Status = { stage: string; videoUrl: string | null; error: unknown }

  async function statusOf(id: string): Promise<Status> {
    return (await (await request(`/api/video/status?requestId=${id}`)).json()) as Status
  }

  /** How each job ended; a success counts only if its video can be downloaded from both APIs. */
  async function endsOf(ids: readonly string[]): Promise<Record<string, number>> {
    const ends: Record<string, number> = {}
    for (const id of ids) {
      let status: Status | undefined
      const ended = await waitUntil(async () => {
        status = await statusOf(id)
        return /^(succeeded|failed|canceled)$/.test(status.stage)
      })
      let end = ended ? (status?.stage ?? '') : 'not ended'
      if (end === 'succeeded') {
        const path = new URL(status?.videoUrl ?? '').pathname
        for (const name of ['first API', 'second API'] as const) {
          const video = await fetch(addresses.get(name) + path)
          const bytes = new Uint8Array(await video.arrayBuffer())
          if (video.status !== 200 || !Buffer.from(bytes).includes('ftyp')) end = `video ${video.status}`
        }
      } else if (status !== undefined) end += ` ${JSON.stringify(status.error)}`
      ends[end] = (ends[end] ?? 0) + 1
    }
    return ends
  }

  async function taskCount(): Promise<number> {
    const counts = Object.keys(modelByUpstream).map((name) => server.redis.hlen(`reelgate:sandbox:${name}`))
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  }

  before(async () => {
    server = await startServer(cleanup)
    env = {
      REDIS_URL: server.path,
      DATA_DIR: await temporaryFolder(cleanup),
      SANDBOX: 'auto',
      SANDBOX_RENDER_SECONDS: '2',
      POLL_MAX_MS: '500',
      SUBMIT_RPM: '100000',
      UPSTREAM_TIMEOUT_SECONDS: '10',
      RECONCILE_SECONDS: '25',
    }
    const ledger = createLedger({ redis: server.redis, keys: redisKeys })
    key = (await ledger.createAccount({ name: 'sandbox', balanceUsd: 1 })).key
    for (const name of names) addresses.set(name, `http://127.0.0.1:${await freePort()}`)
    await Promise.all(names.map(start))
    cleanup.add(() => Promise.all([...nodes.values()].map((node) => node.kill())))
  })
  after(() => cleanup.run())

  it('100 of 100 jobs succeed', async () => {
    const before = await taskCount()
    const ids: string[] = []
    for (let number = 0; number < jobCount; number++) ids.push(await submit())
    assert.deepEqual(await endsOf(ids), { succeeded: jobCount })
    assert.equal((await taskCount()) - before, jobCount, 'each job is purchased once')
  })

  it('100 of 100 jobs succeed while all four processes restart in turn', async () => {
    const before = await taskCount()
    let submitting = true
    let restarts = 0
    const restarting = (async () => {
      while (submitting || restarts < 2 * names.length) {
        await restart(names[restarts++ % names.length] ?? 'first API', 'stop')
      }
    })()
    const ids: string[] = []
    for (let number = 0; number < jobCount; number++) {
      ids.push(await submit())
      await sleep(50)
    }
    submitting = false
    await restarting
    assert.deepEqual(await endsOf(ids), { succeeded: jobCount })
    assert.equal((await taskCount()) - before, jobCount, 'each job is purchased once')
    process.stdout.write(`restarts: ${restarts}\n`)
  })

  it('a job in `delivering` survives kill -9 of its worker', async () => {
    const before = await taskCount()
    let kills = 0
    const ids: string[] = []
    for (let number = 0; number < jobCount; number++) ids.push(await submit())
    const isDelivering = async () =>
      (await Promise.all(ids.map(statusOf))).some(({ stage }) => stage === 'delivering')
    for (const name of ['first worker', 'second worker', 'first worker'] as const) {
      if (!(await waitUntil(isDelivering, { times: 100, everyMs: 5 }))) break
      await restart(name, 'kill')
      kills += 1
    }
    assert.ok(kills > 0, 'no job was seen in delivering')
    assert.deepEqual(await endsOf(ids), { succeeded: jobCount })
    assert.equal((await taskCount()) - before, jobCount, 'each job is purchased once')
    process.stdout.write(`kills during delivery: ${kills}\n`)
  })
})
