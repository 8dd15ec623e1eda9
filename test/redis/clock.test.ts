import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { afterEach, describe, it, mock } from 'node:test'
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

describe('the shared clock of processes', () => {
  it('shows the time of Redis, whatever the clock of the machine', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 + hourMs }
    const { clock } = create(time)
    await clock.sync()
    assert.ok(Math.abs(clock.now() - time.redis) < 1000)
    assert.ok(Math.abs(clock.toWallClock(time.redis) - time.machine) < 1000)
  })

  it('does not follow a jump of the machine clock', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 }
    const { clock } = create(time)
    await clock.sync()
    time.machine += hourMs
    assert.ok(clock.now() - time.redis < hourMs / 2)
  })

  it('never goes back a little when the clock of Redis does', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 }
    const { clock } = create(time)
    await clock.sync()
    const before = clock.now()
    time.redis -= 4000
    await clock.sync()
    assert.ok(clock.now() >= before)
  })

  it('does not stop for hours after the clock of Redis was hours ahead for a moment', async () => {
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

  it('logs once when the clocks start to differ too much, and once when they agree again', async () => {
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

  it('goes back by large differences only', async () => {
    for (const [backMs, goesBack] of [
      [4000, false],
      [5200, true],
    ] as const) {
      const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 }
      const { clock } = create(time)
      await clock.sync()
      const before = clock.now()
      time.redis -= backMs
      await clock.sync()
      assert.equal(clock.now() < before, goesBack)
    }
  })

  it('is that of the machine until Redis replies, and then that of Redis, even if it is earlier', async () => {
    const time = { redis: 1_800_000_000_000, machine: 1_800_000_000_000 + hourMs }
    const { clock } = create(time)
    assert.ok(Math.abs(clock.now() - time.machine) < 1000)
    await clock.sync()
    assert.ok(Math.abs(clock.now() - time.redis) < 1000)
  })

  it('advances between readings, in whole milliseconds', async () => {
    const { clock } = create({ redis: 1_800_000_000_000.25, machine: 1_800_000_000_000 })
    await clock.sync()
    const before = clock.now()
    assert.ok(Number.isInteger(before))
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.ok(clock.now() - before >= 25)
    assert.ok(clock.now() - before < hourMs)
  })

  it('counts the microseconds of Redis', async () => {
    const time = { redis: 1_800_000_000_900, machine: 1_800_000_000_900 }
    const { clock } = create(time)
    await clock.sync()
    assert.ok(clock.now() >= time.redis && clock.now() < time.redis + 90)
  })

  for (const [skewMs, isSkewed] of [
    [5000, false],
    [5002, true],
    [-5002, true],
    [-4900, false],
  ] as const) {
    it(`with a difference of ${skewMs} ms ${isSkewed ? 'is skewed' : 'is usable'}`, async () => {
      const time = 1_800_000_000_000
      const { clock } = create({ redis: time, machine: time + skewMs })
      await clock.sync()
      assert.equal(clock.isSkewed(), isSkewed)
    })
  }

  it('logs the difference of the clocks in seconds', async () => {
    const logged: unknown[] = []
    const redis = { time: async () => ['1800000000', '0'] } as unknown as Redis
    const logger = { error: (facts: unknown) => void logged.push(facts), info: () => undefined }
    const wallClock = () => 1_800_000_060_000
    await createClock({ redis, maxSkewMs: 5000, logger: logger as never, wallClock }).sync()
    const [{ skewSeconds, maxSkewSeconds }] = logged as [{ skewSeconds: number; maxSkewSeconds: number }]
    assert.ok(Math.abs(skewSeconds - 60) < 1, String(skewSeconds))
    assert.equal(maxSkewSeconds, 5)
  })

  describe('with a slow reply of Redis', () => {
    const slow = () => {
      const replies: ((reply: [string, string]) => void)[] = []
      const redis = {
        time: () => new Promise((resolve) => replies.push(resolve)),
      } as unknown as Redis
      const clock = createClock({
        redis,
        maxSkewMs: 1e15,
        logger: { error: () => undefined, info: () => undefined } as never,
      })
      const sync = async (seconds: number, tookMs: number) => {
        const synced = clock.sync()
        await new Promise((resolve) => setTimeout(resolve, tookMs))
        replies.shift()?.([String(seconds), '0'])
        await synced
      }
      return { clock, sync }
    }

    it('is corrected by half of the round trip', async () => {
      const { clock, sync } = slow()
      await sync(1000, 200)
      const error = clock.now() - 1_000_000
      assert.ok(error >= 95 && error < 195, String(error))
    })

    it('is used only without a better reading', async () => {
      const { clock, sync } = slow()
      await sync(1000, 510)
      assert.ok(Math.abs(clock.now() - 1_000_000) < 2000)
      await sync(5000, 510)
      assert.ok(clock.now() < 1_100_000)
      await sync(5000, 0)
      assert.ok(clock.now() >= 5_000_000)
    })
  })

  describe('between its start and its stop', () => {
    const start = async () => {
      mock.timers.enable({ apis: ['setInterval'] })
      const redis = Object.assign(new EventEmitter(), { calls: 0, time: async () => ['1', '0'] })
      redis.time = async () => {
        redis.calls += 1
        return ['1800000000', '0']
      }
      const clock = createClock({
        redis: redis as unknown as Redis,
        maxSkewMs: 1e15,
        logger: { error: () => undefined, info: () => undefined } as never,
      })
      await clock.start()
      return { redis, clock }
    }
    afterEach(() => mock.timers.reset())

    it('reads Redis at once, every ten seconds, and after each new connection', async () => {
      const { redis, clock } = await start()
      assert.equal(redis.calls, 1)
      mock.timers.tick(9999)
      assert.equal(redis.calls, 1)
      mock.timers.tick(1)
      assert.equal(redis.calls, 2)
      redis.emit('ready')
      assert.equal(redis.calls, 3)
      clock.stop()
    })

    it('stops reading when it is stopped', async () => {
      const { redis, clock } = await start()
      clock.stop()
      mock.timers.tick(60_000)
      redis.emit('ready')
      assert.equal(redis.calls, 1)
    })

    it('continues when Redis does not reply', async () => {
      const { redis, clock } = await start()
      redis.time = () => Promise.reject(new Error('away'))
      mock.timers.tick(10_000)
      await new Promise(setImmediate)
      assert.ok(clock.now() > 0)
      clock.stop()
    })

    it('does not start without Redis', async () => {
      const redis = { time: () => Promise.reject(new Error('away')), on: () => assert.fail() }
      const logger = { error: () => undefined, info: () => undefined } as never
      const clock = createClock({ redis: redis as unknown as Redis, maxSkewMs: 1, logger })
      await assert.rejects(clock.start(), /away/)
    })
  })
})
