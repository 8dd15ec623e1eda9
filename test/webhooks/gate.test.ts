import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGate } from '../../src/webhooks/gate.ts'

type Gate = ReturnType<typeof createGate>

function enter(gate: Gate, owner: string, url: string) {
  const place = gate.enter(owner, url)
  assert.ok('leave' in place)
  return place
}

test('a destination has so many places, and its neighbour others', () => {
  const gate = createGate()
  const places = Array.from({ length: 8 }, () => enter(gate, 'alice', 'https://slow.example'))
  assert.ok('waitMs' in gate.enter('alice', 'https://slow.example'))
  enter(gate, 'alice', 'https://well.example').leave(true)
  enter(gate, 'bobby', 'https://slow.example').leave(true)
  for (const place of places) place.leave(true)
  enter(gate, 'alice', 'https://slow.example')
})

test('one that fails has fewer places and is left alone for longer, until it does well', () => {
  const gate = createGate()
  const url = 'https://dead.example'
  for (let failures = 0; failures < 6; failures++) enter(gate, 'alice', url).leave(false)
  const two = [enter(gate, 'alice', url), enter(gate, 'alice', url)]
  const refused = gate.enter('alice', url)
  assert.ok('waitMs' in refused && refused.waitMs >= 8000 && refused.waitMs <= 60_000 * 1.5)
  for (const place of two) place.leave(true)
  for (let count = 0; count < 8; count++) enter(gate, 'alice', url)
})

test('all failing destinations together leave most places to the others', () => {
  const gate = createGate()
  const dead = Array.from({ length: 40 }, (_, at) => `https://dead-${at}.example`)
  for (const url of dead) enter(gate, 'alice', url).leave(false)
  const places = dead.map((url) => gate.enter('alice', url)).filter((place) => 'leave' in place)
  assert.equal(places.length, 32)
  enter(gate, 'alice', 'https://well.example')
})

test('one owner cannot take all places', () => {
  const gate = createGate()
  const asked = Array.from({ length: 200 }, (_, at) => gate.enter('alice', `https://${at}.example`))
  assert.equal(asked.filter((place) => 'leave' in place).length, 128)
  enter(gate, 'bobby', 'https://1.example')
})
