import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fault } from '../../providers/faults.ts'
import { providers } from '../../providers/index.ts'
import type { Outcome } from '../../providers/provider.ts'
import { readConfig } from '../../src/config/config.ts'
import { shrinkRecord } from '../../src/jobs/store/record-size.ts'
import { shorten } from '../../src/text/text-limits.ts'
import { limitOutcome } from '../../src/upstreams/reply-limits.ts'

const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

test('a text is shortened to whole characters, and unchanged if it fits', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.integer({ min: 1, max: 40 }),
      (text, most) => {
        const short = shorten(text, most)
        const length = [...text].length
        assert.equal([...short].length, Math.min(length, most))
        if (length <= most) assert.equal(short, text)
        else assert.ok(text.startsWith(short.slice(0, -1)))
        assert.equal(short.isWellFormed(), text.isWellFormed())
      },
    ),
  )
})

test('every text of a reply is limited, and the link to the first clip is kept', () => {
  const long = 'x'.repeat(3_000_000)
  const url = `https://files.example/${long}`
  const failed = limitOutcome({ kind: 'failed', fault: fault('upstream_error', long) })
  assert.ok(size(failed) < 1200)
  const done = limitOutcome({
    kind: 'done',
    videos: [
      { url, thumbnailUrl: url },
      ...Array.from({ length: 5000 }, (_, n) => ({ url: `https://a.example/${n}` })),
    ],
    ticket: { id: long },
  } as Outcome) as Outcome & { kind: 'done' }
  assert.deepEqual(done.videos[0], { url })
  assert.equal(done.videos.length, 16)
  assert.equal(done.ticket, undefined)
  assert.equal(limitOutcome({ kind: 'running', ticket: { id: long }, stage: 'queued' }).kind, 'unclear')
  const valid: Outcome = {
    kind: 'done',
    videos: [
      { url: 'https://a.example/1', thumbnailUrl: 'https://a.example/2' },
      { url: 'https://a.example/3' },
    ],
    ticket: { id: 'a' },
    costUsd: 0,
  }
  assert.deepEqual(limitOutcome(valid), valid)
  const running: Outcome = { kind: 'running', ticket: { id: 'a' }, stage: 'queued', progress: 0 }
  assert.deepEqual(limitOutcome(running), running)
})

test('a record with an error is shortened deterministically', () => {
  const view = { id: 'a', error: { code: 'upstream_error', message: '字'.repeat(1000) } } as never
  const fit = () => shrinkRecord({ view, work: {} as never }, { prompt: 'x'.repeat(63_000) }, 65_536)
  const { view: fitted } = fit()
  assert.ok(size(fitted) + 63_020 <= 65_536)
  assert.deepEqual(fit().view, fitted)
  const shrunk = shrinkRecord({ view, work: {} as never }, { prompt: 'x' }, 65_536)
  assert.equal(shrunk.view, view)
  const old = shrinkRecord({ view, work: {} as never }, { prompt: 'x'.repeat(900_000) }, 65_536)
  assert.equal(old.view.error?.message.length, 100)
})

test('the limits are configurable', () => {
  const read = (env: Record<string, string>) => readConfig(env, Object.values(providers)).textLimits
  assert.deepEqual(read({}), {
    linkMaxBytes: 8192,
    idMaxCharacters: 256,
    listMaxItems: 100,
    recordMaxBytes: 65_536,
  })
  const env = { LINK_MAX_BYTES: '1000', ID_MAX_CHARACTERS: '64', LIST_MAX_ITEMS: '5', RECORD_MAX_KB: '128' }
  assert.deepEqual(read(env), {
    linkMaxBytes: 1000,
    idMaxCharacters: 64,
    listMaxItems: 5,
    recordMaxBytes: 131_072,
  })
})
