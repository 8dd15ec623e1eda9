import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Input } from '../../providers/input.ts'
import { priceJob } from '../../src/accounts/job-price.ts'
import {
  ledgerRetentionMs,
  secondsUntilUtcMidnight,
  toMicros,
  toUsd,
  utcDayOf,
  withMarkup,
} from '../../src/accounts/money.ts'
import type { Model } from '../../src/catalogue/model.ts'
import { findModel } from '../../src/catalogue/models/index.ts'

describe('amounts of money', () => {
  it('are counted in whole micro-dollars', () => {
    assert.equal(toMicros(0.1 + 0.2), 300_000)
    assert.equal(toMicros(1.0000004), 1_000_000)
    assert.equal(toUsd(1_500_000), 1.5)
  })

  it('include the markup, rounded up to a micro-dollar', () => {
    assert.equal(withMarkup(1, 0), 1)
    assert.equal(withMarkup(1, 10), 1.1)
    assert.equal(withMarkup(0.000001, 10), 0.000002)
    assert.equal(withMarkup(0.07, 15), 0.0805)
  })
})

describe('the day of a daily limit', () => {
  const noon = Date.UTC(2026, 10, 23, 12)

  it('is a day in UTC', () => {
    assert.equal(utcDayOf(noon), '2026-11-23')
    assert.equal(utcDayOf(Date.UTC(2026, 10, 23)), '2026-11-23')
    assert.equal(utcDayOf(Date.UTC(2026, 10, 24) - 1), '2026-11-23')
    assert.equal(utcDayOf(Date.UTC(2026, 10, 24)), '2026-11-24')
    assert.equal(utcDayOf(noon), '2026-11-23')
  })

  it('returns the seconds until it ends', () => {
    assert.equal(secondsUntilUtcMidnight(noon), 43_200)
    assert.equal(secondsUntilUtcMidnight(noon + 1), 43_200)
    assert.equal(secondsUntilUtcMidnight(Date.UTC(2026, 10, 24) - 1), 1)
    assert.equal(secondsUntilUtcMidnight(Date.UTC(2026, 10, 24)), 86_400)
  })

  it('is kept for 400 days', () => assert.equal(ledgerRetentionMs, 400 * 86_400_000))
})

describe('the amount reserved for a job', () => {
  const model = (id: string) => findModel(id) ?? assert.fail(id)
  const lipsync = model('kling-lipsync-a2v')
  const perSecond = lipsync.price.rates[0]?.usd ?? assert.fail()

  it('is the price with the markup, if the price does not depend on a source', () => {
    const offered = priceJob(model('veo3-video'), { prompt: 'a boat', duration: 8, generateAudio: true }, 10)
    const plain = priceJob(model('veo3-video'), { prompt: 'a boat', duration: 8, generateAudio: true }, 0)
    assert.equal(offered.usd, withMarkup(plain.usd, 10))
    assert.equal(offered.meter, undefined)
    assert.deepEqual(offered.warnings, [])
    assert.equal(plain.seconds, 8)
  })

  it('depends on the source length given in the request', () => {
    const offered = priceJob(lipsync, { video: 'v', audio: 'a', audioDuration: 5 }, 0)
    assert.equal(offered.seconds, 5)
    assert.equal(offered.usd, toUsd(toMicros(perSecond * 5)))
    assert.deepEqual(offered.warnings, [])
    assert.equal(offered.meter?.usdPerSecond, perSecond)
    assert.equal(offered.meter?.usualSeconds, 5)
  })

  it('is the price of the longest allowed source if the request gives no length', () => {
    const input = { video: 'v', audio: 'a' }
    const longest = Math.max(
      ...['audioDuration', 'videoDuration'].map((field) =>
        Number(Reflect.get(lipsync.fields, field)?.max ?? 0),
      ),
    )
    assert.ok(longest > 0)
    const offered = priceJob(lipsync, input, 20)
    assert.equal(offered.seconds, longest)
    assert.equal(offered.usd, withMarkup(perSecond * longest, 20))
    assert.equal(offered.warnings.length, 1)
    assert.match(offered.warnings[0] ?? '', new RegExp(`Duration.* ${longest} s`))
    assert.equal(offered.meter?.markupPercent, 20)
  })

  it('follows the price steps and the minimum of the model', () => {
    for (const id of ['kling-lipsync-a2v', 'bytedance-waver-1.0', 'magicapi-video-face-swap']) {
      const { price } = model(id)
      const { meter } = priceJob(model(id), { video: 'v', audio: 'a', swapImage: 's', targetVideo: 't' }, 0)
      if (meter === undefined) continue
      assert.equal(meter.minimumSeconds, price.minimumSeconds)
      assert.equal(meter.stepSeconds, price.stepSeconds)
      assert.equal('stepSeconds' in meter, price.stepSeconds !== undefined)
      assert.equal('minimumSeconds' in meter, price.minimumSeconds !== undefined)
    }
  })

  describe('with several sources', () => {
    const sources = (fields: object, from = ['audioDuration', 'videoDuration']): Model =>
      ({
        id: 'm',
        modes: ['video', 'image'],
        fields: { image: {}, video: {}, ...fields },
        price: { per: 'second', secondsFrom: from, defaultSeconds: 7, rates: [{ usd: 0.1 }] },
      }) as unknown as Model
    const reserved = (entry: Model, input: Input = { video: 'v' }) => priceJob(entry, input, 0)

    it('is the price of the longest, in whatever order they are given', () => {
      for (const [audio, video] of [
        [10, 60],
        [60, 10],
      ]) {
        const entry = sources({ audioDuration: { max: audio }, videoDuration: { max: video } })
        assert.equal(reserved(entry).seconds, 60)
        assert.equal(reserved(entry).usd, 6)
        assert.match(reserved(entry).warnings[0] ?? '', audio === 60 ? /`audioDuration`/ : /`videoDuration`/)
      }
    })

    it('ignores sources without a limit and unsupported sources', () => {
      assert.equal(reserved(sources({ audioDuration: {}, videoDuration: { max: 5 } })).seconds, 5)
      assert.equal(reserved(sources({ audioDuration: { max: 5 }, videoDuration: {} })).seconds, 5)
      assert.equal(reserved(sources({ videoDuration: { max: 5 } })).seconds, 5)
    })

    it('is the typical price if no source has a limit', () => {
      const offered = reserved(sources({ audioDuration: {} }))
      assert.equal(offered.seconds, 7)
      assert.deepEqual(offered.warnings, [])
      assert.deepEqual(offered.meter, { usdPerSecond: 0.1, markupPercent: 0, usualSeconds: 7 })
    })

    it('is limited by the mode of the request', () => {
      const entry = sources({ videoDuration: { max: 60, image: { max: 5 } } })
      assert.equal(reserved(entry).seconds, 60)
      assert.equal(reserved(entry, { image: 'i' }).seconds, 5)
    })
  })

  it('does not depend on the length if the price is per video', () => {
    assert.equal('seconds' in priceJob(model('minimax-video'), { prompt: 'a boat' }, 0), false)
  })
})
