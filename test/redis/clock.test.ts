import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createClock } from '../../src/redis/clock.ts'

const hourMs = 3_600_000

function create(time: { redis: number; machine: number }) {
  const logged: string[] = []
  const log = (_: unknown, message: string) => void logged.push(message)
  const redis = {
    time: async () => [String(Math.floor(time.redis / 1000)), String((time.redis % 1000) * 1000)],
    on: () => undefined,
    off: () => undefined,
  } as unknown as Redis
  const logger = { error: log, info: log } as never
  const clock = createClock({ redis, maxSkewMs: 5000, logger, wallClock: () => time.machine })
  return { clock, logged }
}

describe('the clock that processes share', () => {
  it('shows the time of Redis, whatever the machine says', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 + hourMs }
    const { clock } = create(time)
    await clock.sync()
    assert.ok(Math.abs(clock.now() - time.redis) < 1000)
    assert.ok(Math.abs(clock.toWallClock(time.redis) - time.machine) < 1000)
  })

  it('does not see the clock of the machine jump', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 }
    const { clock } = create(time)
    await clock.sync()
    time.machine += hourMs
    assert.ok(clock.now() - time.redis < hourMs / 2)
  })

  it('never goes back a little, though that of Redis does', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 }
    const { clock } = create(time)
    await clock.sync()
    const before = clock.now()
    time.redis -= 4000
    await clock.sync()
    assert.ok(clock.now() >= before)
  })

  it('does not stand still for hours after that of Redis was hours ahead for a moment', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 }
    const { clock } = create(time)
    await clock.sync()
    time.redis += 3 * hourMs
    await clock.sync()
    clock.now()
    time.redis -= 3 * hourMs
    await clock.sync()
    assert.equal(clock.isSkewed(), false)
    assert.ok(Math.abs(clock.now() - time.redis) < 1000)
  })

  it('says once when the clocks begin to differ too much, and once when they agree again', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 + 4000 }
    const { clock, logged } = create(time)
    const skewed: boolean[] = []
    clock.onSkew((is) => skewed.push(is))
    await clock.sync()
    assert.equal(clock.isSkewed(), false)
    time.machine = time.redis - 40 * 60_000
    await clock.sync()
    await clock.sync()
    assert.equal(clock.isSkewed(), true)
    time.machine = time.redis
    await clock.sync()
    assert.equal(clock.isSkewed(), false)
    assert.deepEqual(skewed, [true, false])
    assert.equal(logged.length, 2)
    assert.match(logged[0] ?? '', /takes no steps/)
  })
})
