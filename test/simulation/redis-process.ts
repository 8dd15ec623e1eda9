import { Redis } from 'ioredis'
import { type Cleanup, startRedis } from '../support/setup.ts'

/** A real Redis for simulations only: nothing of it is kept. The connection has no offline queue or time limit of its own to interfere. */
export async function startSimulationRedis(cleanup: Cleanup): Promise<Redis> {
  const { url, redis } = await startRedis(cleanup)
  await redis.config('SET', 'appendonly', 'no')
  const connection = new Redis({ path: url })
  cleanup.add(() => connection.disconnect())
  return connection
}
