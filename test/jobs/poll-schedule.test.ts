import assert from 'node:assert/strict'
import { it } from 'node:test'
import { estimateProgress, nextPollDelayMs, retryDelayMs } from '../../src/jobs/poll-schedule.ts'

const longestMs = 20_000

it('polls a render of 60 s fewer than 8 times and notices its end within 5 s', () => {
  for (let takesMs = 55_000; takesMs <= 64_000; takesMs += 500) {
    let elapsedMs = 0
    let polls = 0
    while (elapsedMs < takesMs) {
      elapsedMs += nextPollDelayMs({ elapsedMs, renderMs: 60_000, polls, maxDelayMs: longestMs })
      polls += 1
    }
    assert.ok(polls < 8, `${polls} polls for ${takesMs} ms`)
    assert.ok(elapsedMs - takesMs < 5000, `${elapsedMs - takesMs} ms late for ${takesMs} ms`)
  }
})

it('notices the end of a render within 5 s, too, if the typical time is off by a fifth', () => {
  for (let usualMs = 54_000; usualMs <= 76_000; usualMs += 500) {
    let elapsedMs = 0
    for (let polls = 0; elapsedMs < 60_000; polls++)
      elapsedMs += nextPollDelayMs({ elapsedMs, renderMs: usualMs, polls, maxDelayMs: longestMs })
    assert.ok(elapsedMs - 60_000 < 5000, `${elapsedMs - 60_000} ms late where ${usualMs} ms are usual`)
  }
})

it('polls at most once per second, and at least as often as the operator wants', () => {
  for (const usualMs of [1, 1000, 60_000, 3_600_000]) {
    for (const elapsedMs of [0, 10, 5000, 10_000_000]) {
      for (const polls of [0, 1, 50]) {
        const ms = nextPollDelayMs({ elapsedMs, renderMs: usualMs, polls, maxDelayMs: longestMs })
        assert.ok(ms >= 1000 && ms <= longestMs)
      }
    }
  }
  assert.equal(retryDelayMs(1, longestMs), 1000)
  assert.equal(retryDelayMs(99, longestMs), 16_000)
})

const poll = (elapsedMs: number, polls = 1, usualMs = 60_000) =>
  nextPollDelayMs({ elapsedMs, renderMs: usualMs, polls, maxDelayMs: 600_000 })

it('waits for two fifths of the typical time before the first poll', () => {
  assert.equal(poll(0, 0), 24_000)
})

it('waits for most of the remaining typical time, but at least a sixteenth of it', () => {
  assert.equal(poll(24_000), 24_300)
  assert.equal(poll(50_000), 3600)
  assert.equal(poll(51_000), 3600)
})

it('polls less often the longer a render is overdue', () => {
  assert.equal(poll(60_000), 3600)
  assert.equal(poll(100_000), 6000)
  assert.equal(poll(160_000), 15_000)
})

it('doubles the interval after each poll without a result, up to 16 s', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((misses) => retryDelayMs(misses, 600_000)),
    [1000, 2000, 4000, 8000, 16_000, 16_000],
  )
  assert.equal(retryDelayMs(5, 3000), 3000)
})

it('polls more often than once per second if the operator wants it', () => {
  assert.equal(nextPollDelayMs({ elapsedMs: 0, renderMs: 60_000, polls: 0, maxDelayMs: 100 }), 100)
})

it('estimates a progress that grows and never reaches the end', () => {
  const guess = (elapsedMs: number, usualMs = 60_000) => estimateProgress({ elapsedMs, renderMs: usualMs })
  assert.equal(guess(0), 0)
  assert.equal(guess(30_000), 52)
  assert.equal(guess(60_000), 75)
  assert.ok(guess(1e12) <= 95)
  assert.equal(guess(0, 0), 0)
  assert.equal(guess(1000, 0), 95)
})
