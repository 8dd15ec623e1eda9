import { createHolds } from '../../src/accounts/holds.ts'
import { createCallbackReceiver } from '../../src/jobs/callbacks.ts'
import { createEngine } from '../../src/jobs/engine.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createUnknownJobs } from '../../src/jobs/unknown-jobs.ts'
import { createWithdrawals } from '../../src/jobs/withdrawals.ts'
import { quiet } from '../support/setup.ts'
import type { Environment } from './environment.ts'
import { routing, settingsOf } from './providers.ts'
import { createQueueClient } from './queue.ts'
import { confirmOn, connect } from './redis-client.ts'
import { settings } from './settings.ts'
import { configsOf } from './step-deps.ts'
import { diskRoot } from './virtual-disk.ts'

export type Api = ReturnType<typeof createApi>

/** One API process, put together as `src/api-server.ts` does it. */
export function createApi(environment: Environment, name: string) {
  const { world, redis, server, queue, keys, upstreams, replicas } = environment
  const actor = world.createActor(name, true)
  const connection = connect(world, { actor, redis, server })
  const now = world.trueNow
  const store = createJobStore({ redis: connection, keys, ...settings.store, now })
  const queues = createQueueClient(world, actor, { queue, server }).asQueues()
  const withdrawals = world.run(actor, () =>
    createWithdrawals({
      dir: `${diskRoot}/withdrawals`,
      cancel: (id) => store.requestCancel(id, 'withdrawn'),
      logger: quiet,
    }),
  )

  return {
    actor,
    store,
    engine: createEngine({
      store,
      queues,
      watchers: { watch: async () => () => undefined, close: () => undefined },
      longestJobSeconds: 86_400,
      withdraw: async (id) => {
        const { add } = await withdrawals
        await world.call(actor, { type: 'journal', label: `withdraws ${id}` }, () => add(id))
      },
      ...(replicas && { confirmReplicas: confirmOn(connection, keys) }),
      now,
    }),
    callBack: createCallbackReceiver({
      now,
      store,
      queues,
      routing,
      upstreams: configsOf(upstreams),
    }),
    unknown: createUnknownJobs({
      store,
      holds: createHolds({ redis: connection, keys }),
      routing,
      settingsOf,
      deadlineMs: () => 300_000,
      now,
    }),
  }
}
