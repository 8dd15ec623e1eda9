import { createCleanup } from '../support/setup.ts'
import { explore } from './explore.ts'
import type { Order } from './lanes.ts'
import { bugs } from './planted-bugs.ts'
import { startSimulationRedis } from './redis-process.ts'
import { installVirtualDisk } from './virtual-disk.ts'
import { installVirtualTime } from './virtual-time.ts'

/** A process of its own, with a Redis of its own: explores one batch after the other. */
const cleanup = createCleanup()
const redis = await startSimulationRedis(cleanup)
installVirtualTime()
installVirtualDisk()

process.on('message', ({ ignore, bug, ...order }: Order) => {
  const options = {
    ...order,
    redis,
    ...(ignore !== undefined && { ignore: new RegExp(ignore) }),
    ...(bug !== undefined && { bug: bugs[bug] }),
  }
  explore(options).then(
    (report) => process.send?.(report),
    (cause: unknown) => {
      process.exitCode = 1
      process.stderr.write(`${cause instanceof Error ? cause.stack : cause}\n`)
      process.disconnect()
    },
  )
})
process.on('disconnect', () => cleanup.run())
process.send?.('ready')
