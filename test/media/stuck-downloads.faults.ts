import assert from 'node:assert/strict'
import { it } from 'node:test'
import { clientOf, operatorKey, startGround } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { startServer, video } from './files.ts'

const stuckJobs = 200

it('200 results that never come hold up nobody else, and every one of their jobs ends', async (t) => {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  let underWay = 0
  let mostAtOnce = 0
  const files = await startServer(t, ({ url = '' }, response) => {
    if (url.includes('good')) return void response.writeHead(200).end(video)
    underWay += 1
    mostAtOnce = Math.max(mostAtOnce, underWay)
    response.once('close', () => {
      underWay -= 1
    })
    response.writeHead(200, { 'content-length': 1_000_000 }).write('x')
  })
  const {
    upstreams,
    env,
    ledger: book,
  } = await startGround(cleanup, {
    // The addresses of all upstreams are trusted; nothing else of WaveSpeed is asked here.
    WAVESPEED_BASE_URL: files,
    RESULT_STALL_SECONDS: '1',
    RESULT_DOWNLOADS_PER_HOST: '80',
    // Without the time that a job waits for one of these.
    RESULT_TIMEOUT_SECONDS: '4',
    RESULT_GRACE_SECONDS: '4',
  })
  const { address } = await startTestGateway(cleanup, env)
  const { body } = await clientOf(address, operatorKey).ask('POST', '/api/admin/keys', {
    name: 'test',
    balanceUsd: 1000,
  })
  const client = clientOf(address, String(body.key))
  const arm = (name: string, times: number) =>
    upstreams.host.injectFault({
      provider: 'fal',
      operation: 'result',
      kind: 'status',
      status: 200,
      body: { video: { url: `${files}/${name}.mp4` } },
      times,
    })

  arm('stuck', stuckJobs)
  const submitted = await Promise.all(Array.from({ length: stuckJobs }, () => client.submit()))
  const ids = submitted.map((reply) => reply.body.runId)
  for (const id of ids) await client.waitFor(id, /^delivering$/)
  assert.equal(upstreams.host.countPending('fal'), 0)

  const elsewhere = (await client.submit()).body.runId
  assert.equal((await client.waitForEnd(elsewhere)).stage, 'succeeded')
  arm('good', 1)
  const sameHost = (await client.submit()).body.runId
  assert.equal((await client.waitForEnd(sameHost)).stage, 'succeeded')
  const stages = await Promise.all(ids.map(async (id) => (await client.waitFor(id, /./)).stage))
  const canceled = ids[stages.indexOf('delivering')]
  assert.ok(canceled, 'some are stuck still')
  const others = ids.filter((id) => id !== canceled)
  assert.ok(mostAtOnce <= 160, `${mostAtOnce} downloads at once`)

  await client.ask('DELETE', `/api/jobs/${canceled}`)
  assert.equal((await client.waitForEnd(canceled)).stage, 'canceled')
  for (const id of others) {
    assert.equal((await client.waitForEnd(id)).stage, 'failed')
    const job = await client.ask('GET', `/api/jobs/${id}`)
    assert.equal(Object(job.body.error).code, 'result_unavailable')
  }
  const account = await book.read(String(body.id))
  // Two videos, and the render that was canceled when it was finished.
  assert.deepEqual([account?.spentUsd, account?.reservedUsd, account?.balanceUsd], [1.5, 0, 998.5])
})
