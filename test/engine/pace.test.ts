import assert from 'node:assert/strict'
import { it } from 'node:test'
import { nextPollMs, nextTryMs } from '../../src/engine/pace.ts'

const longestMs = 20_000

it('polls a render of 60 s fewer than 8 times and notices its end within 5 s', () => {
  for (let takesMs = 55_000; takesMs <= 64_000; takesMs += 500) {
    let elapsedMs = 0
    let polls = 0
    while (elapsedMs < takesMs) {
      elapsedMs += nextPollMs({ elapsedMs, usualMs: 60_000, polls, longestMs })
      polls += 1
    }
    assert.ok(polls < 8, `${polls} polls for ${takesMs} ms`)
    assert.ok(elapsedMs - takesMs < 5000, `${elapsedMs - takesMs} ms late for ${takesMs} ms`)
  }
})

it('notices the end of a render within 5 s, too, where the usual time is a fifth off', () => {
  for (let usualMs = 54_000; usualMs <= 76_000; usualMs += 500) {
    let elapsedMs = 0
    for (let polls = 0; elapsedMs < 60_000; polls++)
      elapsedMs += nextPollMs({ elapsedMs, usualMs, polls, longestMs })
    assert.ok(elapsedMs - 60_000 < 5000, `${elapsedMs - 60_000} ms late where ${usualMs} ms are usual`)
  }
})

it('never asks more often than once a second, nor less often than the operator wants', () => {
  for (const usualMs of [1, 1000, 60_000, 3_600_000]) {
    for (const elapsedMs of [0, 10, 5000, 10_000_000]) {
      for (const polls of [0, 1, 50]) {
        const ms = nextPollMs({ elapsedMs, usualMs, polls, longestMs })
        assert.ok(ms >= 1000 && ms <= longestMs)
      }
    }
  }
  assert.equal(nextTryMs(1, longestMs), 1000)
  assert.equal(nextTryMs(99, longestMs), 16_000)
})
