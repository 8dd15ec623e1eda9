import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createCleanup } from '../support/setup.ts'
import { explore } from './explore.ts'
import { startSimulationRedis } from './redis-process.ts'
import { installVirtualDisk } from './virtual-disk.ts'
import { installVirtualTime } from './virtual-time.ts'

describe('simulation', () => {
  const cleanup = createCleanup()
  let redis: Redis

  before(async () => {
    redis = await startSimulationRedis(cleanup)
    cleanup.add(installVirtualTime())
    cleanup.add(installVirtualDisk())
  })
  after(() => cleanup.run())

  it('a seed reproduces its runs exactly', async () => {
    const first = await explore({ redis, seed: 1, runs: 10 })
    const second = await explore({ redis, seed: 1, runs: 10 })
    const other = await explore({ redis, seed: 2, runs: 10 })
    assert.equal(first.digest, second.digest)
    assert.notEqual(first.digest, other.digest)
  })
})
