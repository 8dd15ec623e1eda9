import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cheapJob, clientOf, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { startReceiver } from './receiver.ts'

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    if (await holds()) return
    await sleep(10)
  }
  assert.fail('it did not come about')
}

const settings = { AUTH: 'off', RECONCILE_SECONDS: '3', KEEP_DAYS: '1', WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'on' }

describe('a pending webhook', () => {
  const cleanup = createCleanup()
  let backend: Awaited<ReturnType<typeof startBackend>>
  const statusesByPath: Record<string, readonly number[]> = {}
  let receiver: Awaited<ReturnType<typeof startReceiver>>
  let client: ReturnType<typeof clientOf>
  let operator: ReturnType<typeof clientOf>

  before(async () => {
    backend = await startBackend(cleanup, {
      ...settings,
      WEBHOOK_RETRY_SECONDS: Array(200).fill('0.3').join(),
    })
    receiver = await startReceiver(cleanup, statusesByPath)
    const { address } = await startTestGateway(cleanup, backend.env)
    client = clientOf(address)
    operator = clientOf(address, operatorKey)
  })
  after(() => cleanup.run())

  const ttl = (id: string) => backend.redis.pttl(backend.keys.job(id))

  /** A job with a rejected webhook, until `statusesByPath` changes. */
  async function refused(path: string, prompt = 'a boat'): Promise<string> {
    statusesByPath[path] = [500]
    const { body } = await client.submit({ ...cheapJob, prompt, webhookUrl: receiver.url + path })
    await until(async () => (await backend.redis.llen(backend.keys.webhookLog(body.runId))) > 0)
    return body.runId
  }

  it('is delivered after its job was deleted, and nothing else of the job is kept', async () => {
    const id = await refused('/deleted', 'a private prompt')
    assert.equal((await client.request('DELETE', `/v1/videos/${id}`)).body.deleted, true)
    assert.equal((await client.request('GET', `/api/jobs/${id}`)).status, 404)
    const fields = await backend.redis.hkeys(backend.keys.deletedJob(id))
    assert.deepEqual(fields.sort(), ['address', 'owner', 'version', 'view', 'webhook'])
    const before = receiver.of('/deleted').length
    statusesByPath['/deleted'] = [200]
    await until(async () => (await backend.redis.zscore(backend.keys.webhooks, id)) === null)
    const deliveries = receiver.of('/deleted')
    assert.ok(deliveries.length > before)
    assert.equal(new Set(deliveries.map(({ body, headers }) => `${headers['webhook-id']} ${body}`)).size, 1)
    assert.equal(await backend.redis.exists(backend.keys.deletedJob(id)), 0)
  })

  it('keeps the record, which expires after the last attempt', async () => {
    const id = await refused('/kept')
    assert.equal(await ttl(id), -1)
    statusesByPath['/kept'] = [200]
    await until(async () => (await ttl(id)) > 0)
    assert.ok((await backend.redis.pttl(backend.keys.history(id))) > 0)
    statusesByPath['/kept'] = [500]
    await client.request('POST', `/api/jobs/${id}/webhooks/replay`)
    assert.equal(await ttl(id), -1)
    statusesByPath['/kept'] = [200]
    await until(async () => (await ttl(id)) > 0)
  })

  it('does not change the expiry of a delivered job, or of a job without a webhook', async () => {
    const { body } = await client.submit({ ...cheapJob, webhookUrl: `${receiver.url}/well` })
    await until(async () => (await ttl(body.runId)) > 0)
    assert.equal((await client.request('GET', `/api/jobs/${body.runId}/webhooks`)).body.state, 'delivered')
    const plain = await client.submit()
    await client.waitForEnd(plain.body.runId)
    assert.ok((await ttl(plain.body.runId)) > 0)
  })

  async function adopt(id: string, mark: string): Promise<void> {
    const tasks = await backend.upstreams.host.tasks('fal')
    const ticket = tasks.find(({ body }) => JSON.stringify(body).includes(mark))?.id
    assert.equal((await operator.request('POST', `/api/admin/unknown/${id}`, { ticket })).status, 200)
  }

  it('is sent for both ends of a job that an operator resumed, each a separate message', async () => {
    const id = await refused('/twice', 'sandbox:lost ends twice')
    statusesByPath['/twice'] = [200]
    await until(async () => (await ttl(id)) > 0)
    await adopt(id, 'ends twice')
    const messages = () =>
      receiver.of('/twice').map(({ headers, body }) => `${headers['webhook-id']} ${JSON.parse(body).type}`)
    await until(() => messages().includes(`msg_${id}_2 video.completed`))
    assert.deepEqual(new Set(messages()), new Set([`msg_${id} video.failed`, `msg_${id}_2 video.completed`]))
  })

  it('of an end before an adoption is dropped', async () => {
    const id = await refused('/again', 'sandbox:lost again')
    await adopt(id, 'again')
    await client.waitFor(id, /^succeeded$/)
    statusesByPath['/again'] = [200]
    await until(async () => (await ttl(id)) > 0)
    const last = receiver.of('/again').at(-1)
    assert.equal(last?.headers['webhook-id'], `msg_${id}_2`)
    const { state } = (await client.request('GET', `/api/jobs/${id}/webhooks`)).body
    assert.equal(state, 'delivered')
  })
})

describe('the attempts to deliver a second end', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('are as many as those for the first one', async () => {
    const backend = await startBackend(cleanup, { ...settings, WEBHOOK_RETRY_SECONDS: '0.1, 0.1' })
    const receiver = await startReceiver(cleanup, { '/broken': [500] })
    const { address } = await startTestGateway(cleanup, backend.env)
    const webhookUrl = `${receiver.url}/broken`
    const { body } = await clientOf(address).submit({ ...cheapJob, prompt: 'sandbox:lost', webhookUrl })
    const attempts = (messageId: string) =>
      receiver.of('/broken').filter(({ headers }) => headers['webhook-id'] === messageId).length
    await until(() => attempts(`msg_${body.runId}`) === 3)
    const [task] = await backend.upstreams.host.tasks('fal')
    const adopted = { ticket: task?.id }
    await clientOf(address, operatorKey).request('POST', `/api/admin/unknown/${body.runId}`, adopted)
    await until(() => attempts(`msg_${body.runId}_2`) === 3)
    await until(async () => (await backend.redis.pttl(backend.keys.job(body.runId))) > 0)
    assert.equal(attempts(`msg_${body.runId}_2`), 3)
  })
})
