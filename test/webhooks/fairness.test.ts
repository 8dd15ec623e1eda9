import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cheapJob, clientOf, startBackend } from '../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { startReceiver } from './receiver.ts'

describe('the dead destinations of one key', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('do not delay a recovering destination of another key', async () => {
    const backend = await startBackend(cleanup, {
      WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'on',
      WEBHOOK_FAILING_CONCURRENCY: '4',
      WEBHOOK_RETRY_SECONDS: Array(50).fill('0.1').join(),
    })
    const dead = Array.from({ length: 8 }, (_, at) => `/dead/${at}`)
    const repliesByPath = Object.fromEntries(dead.map((path) => [path, [500, 'hang'] as const]))
    const receiver = await startReceiver(cleanup, { ...repliesByPath, '/recovering': [500, 200] })
    const { address } = await startTestGateway(cleanup, backend.env)
    const [alice, bobby] = await Promise.all(
      ['alice', 'bobby'].map(async (name) =>
        clientOf(address, (await backend.ledger.createAccount({ name })).key),
      ),
    )
    const submit = (client: typeof alice, path: string) =>
      client?.submit({ ...cheapJob, webhookUrl: receiver.url + path }) ?? assert.fail()
    const hanging = () => dead.filter((path) => receiver.of(path).length > 1).length
    const until = async (holds: () => boolean) => {
      for (let attempt = 0; !holds(); attempt++) {
        if (attempt > 2000) assert.fail('it did not come about')
        await sleep(10)
      }
    }

    const jobs = await Promise.all(dead.map((path) => submit(alice, path)))
    await until(() => dead.every((path) => receiver.of(path).length > 0) && hanging() >= 2)
    await submit(bobby, '/recovering')
    await until(() => receiver.of('/recovering').length === 2)
    // No delivery to a dead destination has failed for good by then.
    for (const { body } of jobs) {
      const log = await backend.redis.lrange(backend.keys.webhookLog(body.runId), 0, -1)
      assert.deepEqual(
        log.filter((line) => line.includes('no answer')),
        [],
      )
    }
    assert.equal(hanging(), 2)
  })
})
