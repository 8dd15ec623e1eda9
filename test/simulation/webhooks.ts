import type { Redis } from 'ioredis'
import type { JobStore } from '../../src/jobs/store/store.ts'
import type { NextStep } from '../../src/jobs/store/transition.ts'
import type { SafeFetch } from '../../src/net/safe-fetch.ts'
import type { Keys } from '../../src/redis/keys.ts'
import { deliverWebhook } from '../../src/webhooks/deliver-webhook.ts'
import { createWebhookOutbox } from '../../src/webhooks/outbox.ts'
import { quiet } from '../support/setup.ts'
import { settings } from './settings.ts'
import type { Actor, World } from './world.ts'

/** What the owner of a job has received about its end: the type of the message, each time. */
export type Received = (job: string, type: string) => void

type Options = { actor: Actor; redis: Redis; keys: Keys; store: Pick<JobStore, 'read'>; received: Received }

const secret = `whsec_${Buffer.from('simulated').toString('base64')}`

/** The real delivery of webhooks, to simulated receivers. */
export function createWebhooks(world: World, { actor, redis, keys, store, received }: Options) {
  const fetchWebhook = (async (
    _url: string,
    { headers, body }: { headers: Record<string, string>; body: string },
  ) => {
    const job = String(headers['webhook-id']).replace(/^msg_(.*?)(_\d+)?$/, '$1')
    const status = await world.call(actor, { type: 'webhook', label: `webhook of ${job}` }, async (hits) => {
      if (hits.some(({ kind }) => kind === 'webhookFails')) return 500
      received(job, (JSON.parse(body) as { type: string }).type)
      if (hits.some(({ kind }) => kind === 'replyLost')) throw new Error('reset')
      return 200
    })
    return { statusCode: status, body: { dump: async () => undefined } }
  }) as unknown as SafeFetch['fetch']

  return (id: string): Promise<NextStep> =>
    deliverWebhook(
      {
        store,
        outbox: createWebhookOutbox({ redis, keys, keepMs: settings.store.keepMs }),
        secrets: { listValid: async () => [secret] },
        limiter: { acquire: () => ({ release: () => undefined }) },
        safeFetch: fetchWebhook,
        buildStatus: (view) => view,
        stopping: new AbortController().signal,
        retriesMs: settings.webhookRetriesMs,
        logger: quiet,
      },
      id,
    )
}
