import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { providers } from '../../providers/index.ts'
import type { ProviderName } from '../../providers/provider.ts'
import { findModel } from '../../src/catalogue/models/index.ts'
import type { InjectedFault } from '../../src/sandbox/fault-injection.ts'
import { createCleanup, startUpstreams, temporaryFolder } from '../support/setup.ts'
import { freePort, onlyThese, startNode, startServer } from './cluster.ts'
import { createAccount } from './gateway.ts'
import {
  assertSound,
  type Client,
  countJobs,
  endOf,
  modelByUpstream,
  purchasesOf,
  type SentJob,
  withMark,
} from './jobs.ts'
import { report } from './print-counts.ts'

const operatorKey = 'operator-key-of-the-fault-suites'

const names = Object.keys(modelByUpstream) as ProviderName[]

type Case = {
  fault: string
  faults: readonly Omit<InjectedFault, 'provider'>[]
  /** `data.status` and, when failed, the code. */
  end(name: ProviderName): RegExp
  /** Where it makes sense; everywhere when absent. */
  only?: (name: ProviderName) => boolean
}

const completed = () => /^succeeded$/
const page = { kind: 'html', times: 2 } as const
const status = (code: number, times = 1, more: Partial<InjectedFault> = {}) =>
  ({ kind: 'status', status: code, times, ...more }) as const

const cases: readonly Case[] = [
  {
    fault: 'answer lost after acceptance',
    faults: [{ operation: 'submit', kind: 'lost', times: 1 }],
    end: lost,
  },
  {
    fault: 'answer broken in the middle',
    faults: [{ operation: 'submit', kind: 'torn', times: 1 }],
    end: lost,
  },
  {
    fault: 'answer after our time limit',
    faults: [{ operation: 'submit', kind: 'late', ms: 1600, times: 1 }],
    end: lost,
  },
  {
    fault: 'connection reset before the call was read',
    faults: [{ operation: 'submit', kind: 'reset', times: 1 }],
    end: never,
  },
  {
    fault: 'a page instead of JSON at submit',
    faults: [{ operation: 'submit', kind: 'html', times: 1 }],
    end: never,
  },
  ...[500, 502, 503, 504].map((code) => ({
    fault: `${code} at submit`,
    faults: [{ operation: 'submit', ...status(code) }],
    end: never,
  })),
  {
    fault: '429 with Retry-After at submit',
    faults: [{ operation: 'submit', ...status(429, 2, { headers: { 'retry-after': '1' } }) }],
    end: completed,
    only: (name) => name !== 'wavespeed',
  },
  {
    fault: '429 without Retry-After at submit',
    faults: [{ operation: 'submit', ...status(429) }],
    end: completed,
    only: (name) => name !== 'wavespeed',
  },
  {
    fault: 'empty balance at submit',
    faults: [{ operation: 'submit', ...status(402) }],
    end: () => /^failed no_credit$/,
  },
  {
    fault: 'our key refused at submit',
    faults: [{ operation: 'submit', ...status(401) }],
    end: () => /^failed bad_credentials$/,
  },
  ...[500, 502, 503, 504].map((code) => ({
    fault: `${code} at two polls`,
    faults: [{ operation: 'poll', ...status(code, 2) }],
    end: completed,
  })),
  {
    fault: 'a page instead of JSON at two polls',
    faults: [{ operation: 'poll', ...page }],
    end: completed,
  },
  {
    fault: 'connection reset at two polls',
    faults: [{ operation: 'poll', kind: 'reset', times: 2 }],
    end: completed,
  },
  { fault: '404 at one poll', faults: [{ operation: 'poll', ...status(404) }], end: completed },
  {
    fault: '429 at one poll',
    faults: [{ operation: 'poll', ...status(429, 1, { headers: { 'retry-after': '1' } }) }],
    end: completed,
    only: (name) => name !== 'wavespeed',
  },
  {
    fault: 'a reply never seen before at two polls',
    faults: [{ operation: 'poll', ...status(200, 2, { body: { status: 'MOONING', hello: [1] } }) }],
    end: completed,
  },
  {
    fault: 'our key revoked while it renders',
    faults: [{ operation: 'poll', ...status(401, 3) }],
    end: completed,
  },
]

/** The upstream has the job: its task list or its callback shows it, where there is one. */
function lost(name: ProviderName): RegExp {
  const { find, adopt } = providers[name]
  return find !== undefined || adopt !== undefined ? /^succeeded$/ : /^failed submission_unknown$/
}

/** The upstream never had the job, so the call is sent again only where a second task with the same ID is refused. */
function never(name: ProviderName): RegExp {
  return providers[name].find?.safeToResend === true ? /^succeeded$/ : /^failed submission_unknown$/
}

describe('faults of the upstreams', () => {
  const cleanup = createCleanup()
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let server: Awaited<ReturnType<typeof startServer>>
  let address: string
  let client: Client
  const sent: SentJob[] = []
  const seen = new Set<string>()

  before(async () => {
    server = await startServer(cleanup)
    const own = await startServer(cleanup)
    upstreams = await startUpstreams(cleanup, own.redis, 400)
    const port = await freePort()
    address = `http://127.0.0.1:${port}`
    const env = {
      ...upstreams.env,
      REDIS_URL: server.path,
      DATA_DIR: await temporaryFolder(cleanup),
      ADMIN_KEY: operatorKey,
      SUBMIT_RPM: '100000',
      UPSTREAM_OVERRIDES_FILE: await onlyThese(
        cleanup,
        names.map((provider) => ({
          model: modelByUpstream[provider],
          provider,
          all: findModel(modelByUpstream[provider])?.providers ?? [],
        })),
      ),
      UPSTREAM_TIMEOUT_SECONDS: '1',
      // Runware needs two searches before the call is sent again, also on a loaded machine.
      RECONCILE_SECONDS: '8',
      PUBLIC_URL: address,
    }
    const nodes = await Promise.all([
      startNode({ ...env, ROLE: 'api', PORT: String(port) }),
      startNode({ ...env, ROLE: 'worker' }),
      startNode({ ...env, ROLE: 'worker' }),
    ])
    cleanup.add(() => Promise.all(nodes.map((node) => node.stop())))
    client = (await createAccount(server.redis, address)).client
  })
  after(() => cleanup.run())

  describe('each fault ends every job once, after at most one submission', { concurrency: true }, () => {
    for (const name of names) {
      it(name, async () => {
        for (const { fault, faults, end, only } of cases) {
          if (only?.(name) === false) continue
          const mark = `mark-${name}-${fault.replaceAll(/\W/g, '-')}-end`
          for (const injectedFault of faults) upstreams.host.injectFault({ ...injectedFault, provider: name })
          const { status, body } = await client.submit(marked(name, mark))
          assert.equal(status, 202, JSON.stringify(body))
          const job: SentJob = { id: body.runId, provider: name, mark }
          sent.push(job)
          seen.add(fault)
          assert.match((await endOf(client, job)) ?? 'not ended', end(name), `${name}, ${fault}`)
          const [made = 0] = await purchasesOf(upstreams.host, [job])
          assert.ok(made <= 1, `${name}, ${fault}: ${made} tasks`)
          upstreams.host.clearFaults(name)
        }
      })
    }
  })

  it('nothing is purchased twice, the ledger balances, and tasks of jobs on hold can be adopted', async () => {
    const counted = { host: upstreams.host, redis: server.redis, client, jobs: sent }
    const counts = await countJobs(counted)
    const unpaid = sent.filter(
      (_, index) => (counts.made[index] ?? 0) > 0 && counts.ended[index] !== 'succeeded',
    )
    for (const job of unpaid) await adopt(job)
    const adopted = await countJobs(counted)
    const { discarded, ledger } = adopted
    report({ suite: 'faults of the upstreams', faults: seen.size, ...counts, discarded, ledger })
    process.stdout.write(`adopted by the operator: ${unpaid.length}\n`)
    assertSound(counts)
    assert.equal(ledger, 0)
    assert.equal(discarded, 0, `${discarded} results cannot be had, though the upstream has them`)
  })

  /** Like an operator who searches for the job at the upstream. */
  async function adopt({ id, provider, mark }: SentJob): Promise<void> {
    const tasks = await upstreams.host.tasks(provider)
    const ticket = tasks.find(({ body }) => JSON.stringify(body).includes(mark))?.id
    const reply = await fetch(`${address}/api/admin/unknown/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': operatorKey },
      body: JSON.stringify({ ticket }),
    })
    assert.equal(reply.status, 200, await reply.text())
    await client.waitForEnd(id)
  }
})

/** A small request that carries a mark into the upstream's own body. */
function marked(name: ProviderName, mark: string): Record<string, unknown> {
  const model = findModel(modelByUpstream[name])
  if (model === undefined) throw new Error(`there is no model ${modelByUpstream[name]}`)
  return withMark(model, mark)
}
