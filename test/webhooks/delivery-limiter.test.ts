import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeliveryLimiter } from '../../src/webhooks/delivery-limiter.ts'

const limits = { all: 256, failing: 64, destination: 8 }

type Limiter = ReturnType<typeof createDeliveryLimiter>

function enter(limiter: Limiter, owner: string, url: string) {
  const slot = limiter.acquire(owner, url)
  assert.ok('release' in slot)
  return slot
}

test('each destination has its own slots', () => {
  const limiter = createDeliveryLimiter(limits)
  const slots = Array.from({ length: 8 }, () => enter(limiter, 'alice', 'https://slow.example'))
  assert.ok('waitMs' in limiter.acquire('alice', 'https://slow.example'))
  enter(limiter, 'alice', 'https://well.example').release(true)
  enter(limiter, 'bobby', 'https://slow.example').release(true)
  for (const slot of slots) slot.release(true)
  enter(limiter, 'alice', 'https://slow.example')
})

test('a failing destination has fewer slots and longer pauses, until it succeeds', () => {
  const limiter = createDeliveryLimiter(limits)
  const url = 'https://dead.example'
  for (let failures = 0; failures < 6; failures++) enter(limiter, 'alice', url).release(false)
  const two = [enter(limiter, 'alice', url), enter(limiter, 'alice', url)]
  const refused = limiter.acquire('alice', url)
  assert.ok('waitMs' in refused && refused.waitMs >= 8000 && refused.waitMs <= 60_000 * 1.5)
  for (const slot of two) slot.release(true)
  for (let count = 0; count < 8; count++) enter(limiter, 'alice', url)
})

test('all failing destinations together leave most slots to the others', () => {
  const limiter = createDeliveryLimiter(limits)
  const dead = Array.from({ length: 40 }, (_, at) => `https://dead-${at}.example`)
  for (const url of dead) enter(limiter, 'alice', url).release(false)
  const slots = dead.map((url) => limiter.acquire('alice', url)).filter((slot) => 'release' in slot)
  assert.equal(slots.length, 32)
  enter(limiter, 'alice', 'https://well.example')
})

test('one owner cannot take all slots', () => {
  const limiter = createDeliveryLimiter(limits)
  const acquisitions = Array.from({ length: 200 }, (_, at) =>
    limiter.acquire('alice', `https://${at}.example`),
  )
  assert.equal(acquisitions.filter((slot) => 'release' in slot).length, 128)
  enter(limiter, 'bobby', 'https://1.example')
})

/** Takes as many slots as possible for failing destinations of one owner. */
function fill(limiter: Limiter, owner: string, count: number) {
  const dead = Array.from({ length: count }, (_, at) => `https://dead-${at}.example`)
  for (const url of dead) enter(limiter, owner, url).release(false)
  const slots = dead.map((url) => limiter.acquire(owner, url)).filter((slot) => 'release' in slot)
  return slots
}

test('the failing destinations of one owner leave slots to those of another, so that they can recover', () => {
  const limiter = createDeliveryLimiter(limits)
  assert.equal(fill(limiter, 'alice', 40).length, 32)
  const slots = fill(limiter, 'bobby', 40)
  assert.equal(slots.length, 16)
  enter(limiter, 'carol', 'https://recovering.example').release(false)
  const recovering = enter(limiter, 'carol', 'https://recovering.example')
  recovering.release(true)
  for (let count = 0; count < 8; count++) enter(limiter, 'carol', 'https://recovering.example')
})

test('owners converge to equal shares of the slots for failing destinations, and never use all of them', () => {
  const limiter = createDeliveryLimiter(limits)
  const owners = ['alice', 'bobby', 'carol']
  const slotsByOwner = new Map(owners.map((owner) => [owner, fill(limiter, owner, 60)]))
  for (let round = 0; round < 100; round++) {
    for (const owner of owners) {
      const slots = slotsByOwner.get(owner) ?? []
      slots.shift()?.release(false)
      for (let at = 0; at < 60; at++) {
        const slot = limiter.acquire(owner, `https://dead-${at}.example`)
        if ('release' in slot) slots.push(slot)
      }
    }
  }
  const counts = owners.map((owner) => slotsByOwner.get(owner)?.length ?? 0)
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts))
  assert.ok(counts.reduce((sum, one) => sum + one, 0) < limits.failing, String(counts))
})

test('a failing destination has no more slots than any other', () => {
  const limiter = createDeliveryLimiter({ ...limits, destination: 1 })
  enter(limiter, 'alice', 'https://dead.example').release(false)
  enter(limiter, 'alice', 'https://dead.example')
  assert.ok('waitMs' in limiter.acquire('alice', 'https://dead.example'))
})

test('the pause of a destination doubles after each failure, up to a minute', (t) => {
  const limiter = createDeliveryLimiter({ ...limits, destination: 1 })
  const url = 'https://dead.example'
  const waits = (random: number) => {
    t.mock.method(Math, 'random', () => random)
    const refused = limiter.acquire('alice', url)
    return 'waitMs' in refused ? refused.waitMs : assert.fail()
  }
  for (const baseMs of [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    const slot = enter(limiter, 'alice', url)
    assert.deepEqual([waits(0), waits(0.5), waits(1)], [baseMs / 2, baseMs, baseMs * 1.5])
    slot.release(false)
  }
})

test('the total number of slots is limited', () => {
  const limiter = createDeliveryLimiter({ all: 2, failing: 2, destination: 2 })
  enter(limiter, 'alice', 'https://1.example')
  assert.ok('waitMs' in limiter.acquire('alice', 'https://2.example'))
  const slot = enter(limiter, 'bobby', 'https://1.example')
  assert.ok('waitMs' in limiter.acquire('carol', 'https://1.example'))
  slot.release(true)
  enter(limiter, 'carol', 'https://1.example')
})

test('a slot of a failing destination is released', () => {
  const limiter = createDeliveryLimiter({ all: 256, failing: 2, destination: 8 })
  enter(limiter, 'alice', 'https://1.example').release(false)
  enter(limiter, 'alice', 'https://2.example').release(false)
  const slot = enter(limiter, 'alice', 'https://1.example')
  assert.ok('waitMs' in limiter.acquire('alice', 'https://2.example'))
  slot.release(false)
  enter(limiter, 'alice', 'https://2.example')
})

test('failures are stored for the 10,000 destinations that failed last', () => {
  const limiter = createDeliveryLimiter(limits)
  const fails = (at: number) => enter(limiter, 'alice', `https://${at}.example`).release(false)
  const placesOf = (at: number) => {
    const slots = Array.from({ length: 3 }, () => limiter.acquire('alice', `https://${at}.example`))
    const entered = slots.filter((slot) => 'release' in slot)
    for (const slot of entered) slot.release(false)
    return entered.length
  }
  for (let at = 0; at < 10_000; at++) fails(at)
  fails(0)
  assert.equal(placesOf(1), 2)
  fails(10_000)
  assert.equal(placesOf(2), 3)
  assert.equal(placesOf(0), 2)
})
