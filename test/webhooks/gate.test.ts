import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGate } from '../../src/webhooks/gate.ts'

const limits = { all: 256, failing: 64, destination: 8 }

type Gate = ReturnType<typeof createGate>

function enter(gate: Gate, owner: string, url: string) {
  const place = gate.enter(owner, url)
  assert.ok('leave' in place)
  return place
}

test('a destination has so many places, and its neighbour others', () => {
  const gate = createGate(limits)
  const places = Array.from({ length: 8 }, () => enter(gate, 'alice', 'https://slow.example'))
  assert.ok('waitMs' in gate.enter('alice', 'https://slow.example'))
  enter(gate, 'alice', 'https://well.example').leave(true)
  enter(gate, 'bobby', 'https://slow.example').leave(true)
  for (const place of places) place.leave(true)
  enter(gate, 'alice', 'https://slow.example')
})

test('one that fails has fewer places and is left alone for longer, until it does well', () => {
  const gate = createGate(limits)
  const url = 'https://dead.example'
  for (let failures = 0; failures < 6; failures++) enter(gate, 'alice', url).leave(false)
  const two = [enter(gate, 'alice', url), enter(gate, 'alice', url)]
  const refused = gate.enter('alice', url)
  assert.ok('waitMs' in refused && refused.waitMs >= 8000 && refused.waitMs <= 60_000 * 1.5)
  for (const place of two) place.leave(true)
  for (let count = 0; count < 8; count++) enter(gate, 'alice', url)
})

test('all failing destinations together leave most places to the others', () => {
  const gate = createGate(limits)
  const dead = Array.from({ length: 40 }, (_, at) => `https://dead-${at}.example`)
  for (const url of dead) enter(gate, 'alice', url).leave(false)
  const places = dead.map((url) => gate.enter('alice', url)).filter((place) => 'leave' in place)
  assert.equal(places.length, 32)
  enter(gate, 'alice', 'https://well.example')
})

test('one owner cannot take all places', () => {
  const gate = createGate(limits)
  const asked = Array.from({ length: 200 }, (_, at) => gate.enter('alice', `https://${at}.example`))
  assert.equal(asked.filter((place) => 'leave' in place).length, 128)
  enter(gate, 'bobby', 'https://1.example')
})

/** Enters as often as possible with destinations of one owner that failed before. */
function fill(gate: Gate, owner: string, count: number) {
  const dead = Array.from({ length: count }, (_, at) => `https://dead-${at}.example`)
  for (const url of dead) enter(gate, owner, url).leave(false)
  const places = dead.map((url) => gate.enter(owner, url)).filter((place) => 'leave' in place)
  return places
}

test('the failing destinations of one owner leave places to those of another, which may recover', () => {
  const gate = createGate(limits)
  assert.equal(fill(gate, 'alice', 40).length, 32)
  const places = fill(gate, 'bobby', 40)
  assert.equal(places.length, 16)
  enter(gate, 'carol', 'https://recovering.example').leave(false)
  const recovering = enter(gate, 'carol', 'https://recovering.example')
  recovering.leave(true)
  for (let count = 0; count < 8; count++) enter(gate, 'carol', 'https://recovering.example')
})

test('owners have equal shares of the places for failing destinations in the end, and never all of them', () => {
  const gate = createGate(limits)
  const owners = ['alice', 'bobby', 'carol']
  const held = new Map(owners.map((owner) => [owner, fill(gate, owner, 60)]))
  for (let round = 0; round < 100; round++) {
    for (const owner of owners) {
      const places = held.get(owner) ?? []
      places.shift()?.leave(false)
      for (let at = 0; at < 60; at++) {
        const place = gate.enter(owner, `https://dead-${at}.example`)
        if ('leave' in place) places.push(place)
      }
    }
  }
  const counts = owners.map((owner) => held.get(owner)?.length ?? 0)
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts))
  assert.ok(counts.reduce((sum, one) => sum + one, 0) < limits.failing, String(counts))
})

test('a failing destination has no more places than any other', () => {
  const gate = createGate({ ...limits, destination: 1 })
  enter(gate, 'alice', 'https://dead.example').leave(false)
  enter(gate, 'alice', 'https://dead.example')
  assert.ok('waitMs' in gate.enter('alice', 'https://dead.example'))
})
