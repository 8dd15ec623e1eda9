import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeliveryLimiter } from '../../src/webhooks/delivery-limiter.ts'

const limits = { all: 256, failing: 64, destination: 8 }

type Gate = ReturnType<typeof createDeliveryLimiter>

function enter(gate: Gate, owner: string, url: string) {
  const place = gate.acquire(owner, url)
  assert.ok('release' in place)
  return place
}

test('a destination has so many places, and its neighbour others', () => {
  const gate = createDeliveryLimiter(limits)
  const places = Array.from({ length: 8 }, () => enter(gate, 'alice', 'https://slow.example'))
  assert.ok('waitMs' in gate.acquire('alice', 'https://slow.example'))
  enter(gate, 'alice', 'https://well.example').release(true)
  enter(gate, 'bobby', 'https://slow.example').release(true)
  for (const place of places) place.release(true)
  enter(gate, 'alice', 'https://slow.example')
})

test('one that fails has fewer places and is left alone for longer, until it does well', () => {
  const gate = createDeliveryLimiter(limits)
  const url = 'https://dead.example'
  for (let failures = 0; failures < 6; failures++) enter(gate, 'alice', url).release(false)
  const two = [enter(gate, 'alice', url), enter(gate, 'alice', url)]
  const refused = gate.acquire('alice', url)
  assert.ok('waitMs' in refused && refused.waitMs >= 8000 && refused.waitMs <= 60_000 * 1.5)
  for (const place of two) place.release(true)
  for (let count = 0; count < 8; count++) enter(gate, 'alice', url)
})

test('all failing destinations together leave most places to the others', () => {
  const gate = createDeliveryLimiter(limits)
  const dead = Array.from({ length: 40 }, (_, at) => `https://dead-${at}.example`)
  for (const url of dead) enter(gate, 'alice', url).release(false)
  const places = dead.map((url) => gate.acquire('alice', url)).filter((place) => 'release' in place)
  assert.equal(places.length, 32)
  enter(gate, 'alice', 'https://well.example')
})

test('one owner cannot take all places', () => {
  const gate = createDeliveryLimiter(limits)
  const asked = Array.from({ length: 200 }, (_, at) => gate.acquire('alice', `https://${at}.example`))
  assert.equal(asked.filter((place) => 'release' in place).length, 128)
  enter(gate, 'bobby', 'https://1.example')
})

/** Enters as often as possible with destinations of one owner that failed before. */
function fill(gate: Gate, owner: string, count: number) {
  const dead = Array.from({ length: count }, (_, at) => `https://dead-${at}.example`)
  for (const url of dead) enter(gate, owner, url).release(false)
  const places = dead.map((url) => gate.acquire(owner, url)).filter((place) => 'release' in place)
  return places
}

test('the failing destinations of one owner leave places to those of another, which may recover', () => {
  const gate = createDeliveryLimiter(limits)
  assert.equal(fill(gate, 'alice', 40).length, 32)
  const places = fill(gate, 'bobby', 40)
  assert.equal(places.length, 16)
  enter(gate, 'carol', 'https://recovering.example').release(false)
  const recovering = enter(gate, 'carol', 'https://recovering.example')
  recovering.release(true)
  for (let count = 0; count < 8; count++) enter(gate, 'carol', 'https://recovering.example')
})

test('owners have equal shares of the places for failing destinations in the end, and never all of them', () => {
  const gate = createDeliveryLimiter(limits)
  const owners = ['alice', 'bobby', 'carol']
  const held = new Map(owners.map((owner) => [owner, fill(gate, owner, 60)]))
  for (let round = 0; round < 100; round++) {
    for (const owner of owners) {
      const places = held.get(owner) ?? []
      places.shift()?.release(false)
      for (let at = 0; at < 60; at++) {
        const place = gate.acquire(owner, `https://dead-${at}.example`)
        if ('release' in place) places.push(place)
      }
    }
  }
  const counts = owners.map((owner) => held.get(owner)?.length ?? 0)
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts))
  assert.ok(counts.reduce((sum, one) => sum + one, 0) < limits.failing, String(counts))
})

test('a failing destination has no more places than any other', () => {
  const gate = createDeliveryLimiter({ ...limits, destination: 1 })
  enter(gate, 'alice', 'https://dead.example').release(false)
  enter(gate, 'alice', 'https://dead.example')
  assert.ok('waitMs' in gate.acquire('alice', 'https://dead.example'))
})

test('a destination is left alone for twice as long after each failure, up to a minute', (t) => {
  const gate = createDeliveryLimiter({ ...limits, destination: 1 })
  const url = 'https://dead.example'
  const waits = (random: number) => {
    t.mock.method(Math, 'random', () => random)
    const refused = gate.acquire('alice', url)
    return 'waitMs' in refused ? refused.waitMs : assert.fail()
  }
  for (const usual of [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    const place = enter(gate, 'alice', url)
    assert.deepEqual([waits(0), waits(0.5), waits(1)], [usual / 2, usual, usual * 1.5])
    place.release(false)
  }
})

test('all places are bounded, whoever asks', () => {
  const gate = createDeliveryLimiter({ all: 2, failing: 2, destination: 2 })
  enter(gate, 'alice', 'https://1.example')
  assert.ok('waitMs' in gate.acquire('alice', 'https://2.example'))
  const place = enter(gate, 'bobby', 'https://1.example')
  assert.ok('waitMs' in gate.acquire('carol', 'https://1.example'))
  place.release(true)
  enter(gate, 'carol', 'https://1.example')
})

test('a place among the failing ones is given back', () => {
  const gate = createDeliveryLimiter({ all: 256, failing: 2, destination: 8 })
  enter(gate, 'alice', 'https://1.example').release(false)
  enter(gate, 'alice', 'https://2.example').release(false)
  const place = enter(gate, 'alice', 'https://1.example')
  assert.ok('waitMs' in gate.acquire('alice', 'https://2.example'))
  place.release(false)
  enter(gate, 'alice', 'https://2.example')
})

test('failures are remembered of the 10,000 destinations that failed last', () => {
  const gate = createDeliveryLimiter(limits)
  const fails = (at: number) => enter(gate, 'alice', `https://${at}.example`).release(false)
  const placesOf = (at: number) => {
    const places = Array.from({ length: 3 }, () => gate.acquire('alice', `https://${at}.example`))
    const entered = places.filter((place) => 'release' in place)
    for (const place of entered) place.release(false)
    return entered.length
  }
  for (let at = 0; at < 10_000; at++) fails(at)
  fails(0)
  assert.equal(placesOf(1), 2)
  fails(10_000)
  assert.equal(placesOf(2), 3)
  assert.equal(placesOf(0), 2)
})
