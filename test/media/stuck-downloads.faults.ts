import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { startServer, video } from './files.ts'

const stuckJobs = 200
const downloadsPerHost = 80

/** A gateway, and the host of its results: a file named "stuck" sends one byte and never ends. */
async function startStuckHost(t: TestContext, limits: Record<string, string>) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const downloads = { open: 0, mostAtOnce: 0 }
  const files = await startServer(t, ({ url = '' }, response) => {
    if (url.includes('good')) return void response.writeHead(200).end(video)
    downloads.open += 1
    downloads.mostAtOnce = Math.max(downloads.mostAtOnce, downloads.open)
    response.once('close', () => {
      downloads.open -= 1
    })
    response.writeHead(200, { 'content-length': 1_000_000 }).write('x')
  })
  const { upstreams, env, ledger } = await startBackend(cleanup, {
    // The addresses of all upstreams are trusted; nothing else of WaveSpeed is used here.
    WAVESPEED_BASE_URL: files,
    // A busy machine may take long for 200 submissions; a submission without a reply would end its job as unknown.
    UPSTREAM_TIMEOUT_SECONDS: '60',
    RESULT_STALL_SECONDS: '1',
    RESULT_DOWNLOADS_PER_HOST: String(downloadsPerHost),
    ...limits,
  })
  const { address } = await startTestGateway(cleanup, env)
  const { body } = await clientOf(address, operatorKey).request('POST', '/api/admin/keys', {
    name: 'test',
    balanceUsd: 1000,
  })
  const client = clientOf(address, String(body.key))

  /** The next results of FAL are this file. */
  function returnFile(name: 'stuck' | 'good', times: number): void {
    upstreams.host.injectFault({
      provider: 'fal',
      operation: 'result',
      kind: 'status',
      status: 200,
      body: { video: { url: `${files}/${name}.mp4` } },
      times,
    })
  }

  async function submitStuckJobs(): Promise<string[]> {
    returnFile('stuck', stuckJobs)
    const submitted = await Promise.all(Array.from({ length: stuckJobs }, () => client.submit()))
    return submitted.map((reply) => reply.body.runId)
  }

  return { client, downloads, returnFile, submitStuckJobs, account: () => ledger.read(String(body.id)) }
}

it('200 results that never arrive do not delay other jobs, and their jobs can be canceled', async (t) => {
  // None of these jobs ends during the test.
  const host = await startStuckHost(t, { RESULT_TIMEOUT_SECONDS: '3600', RESULT_GRACE_SECONDS: '3600' })
  const { client, downloads } = host
  const ids = await host.submitStuckJobs()
  for (const id of ids) await client.waitFor(id, /^delivering$/)

  const elsewhere = (await client.submit()).body.runId
  assert.equal((await client.waitForEnd(elsewhere)).stage, 'succeeded')
  host.returnFile('good', 1)
  const sameHost = (await client.submit()).body.runId
  assert.equal((await client.waitForEnd(sameHost)).stage, 'succeeded')
  const stages = await Promise.all(ids.map(async (id) => (await client.waitFor(id, /./)).stage))
  assert.deepEqual([...new Set(stages)], ['delivering'])
  // The host may see a download begin before it sees the end of the one before.
  assert.ok(downloads.mostAtOnce <= 2 * downloadsPerHost, `${downloads.mostAtOnce} downloads at once`)

  const canceled = ids[0] ?? ''
  await client.request('DELETE', `/api/jobs/${canceled}`)
  assert.equal((await client.waitForEnd(canceled)).stage, 'canceled')
  const account = await host.account()
  // Two videos, and the render that was canceled when it was finished; the other stuck jobs are reserved.
  assert.deepEqual(
    [account?.spentUsd, account?.reservedUsd, account?.balanceUsd],
    [1.5, (stuckJobs - 1) * 0.5, 998.5 - (stuckJobs - 1) * 0.5],
  )
})

it('200 jobs with results that never arrive all end, and cost nothing', async (t) => {
  // Added to this: the time that a job waits for a download, or for a worker of a busy machine.
  const host = await startStuckHost(t, { RESULT_TIMEOUT_SECONDS: '4' })
  const { client } = host
  for (const id of await host.submitStuckJobs()) {
    assert.equal((await client.waitForEnd(id)).stage, 'failed')
    const job = await client.request('GET', `/api/jobs/${id}`)
    assert.equal(Object(job.body.error).code, 'result_unavailable')
  }
  const account = await host.account()
  assert.deepEqual([account?.spentUsd, account?.reservedUsd, account?.balanceUsd], [0, 0, 1000])
})
