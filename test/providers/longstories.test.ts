import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Input } from '../../providers/input.ts'
import { longstories } from '../../providers/longstories/index.ts'
import { quotePrice } from '../../src/catalogue/price.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import { longstoriesMock } from '../../src/sandbox/upstreams/longstories.ts'
import { orderFor } from './fixtures.ts'
import { faultOf, startMock, ticketOf } from './mock-upstream.ts'

const model = 'longstories-movie'

for (const slug of ['', 'my movies']) {
  test(`the mock films a prompt ${slug === '' ? 'by a preset' : 'in a universe'}`, async (t) => {
    const upstream = await startMock(t, longstoriesMock, longstories, {
      settings: { LONGSTORIES_MOVIE_SLUG: slug },
    })
    const ticket = ticketOf(await upstream.submit(model, { prompt: 'A fox', duration: 30 }))
    const [task] = upstream.tasks.values()
    assert.equal(task?.endpoint, slug === '' ? '/short' : '/universe/my movies/create')
    assert.deepEqual(await upstream.look(ticket), { kind: 'running', ticket, stage: 'queued' })
    upstream.clock.now += 500
    assert.deepEqual(await upstream.look(ticket), { kind: 'running', ticket, stage: 'processing' })
    upstream.clock.now += 500
    const url = `${upstream.origin}/videos/${ticket.id}.mp4`
    assert.deepEqual(await upstream.look(ticket), { kind: 'done', videos: [{ url }] })
  })
}

test('the mock ends a run as the prompt asks', async (t) => {
  const upstream = await startMock(t, longstoriesMock, longstories)
  const submit = (prompt: string) => upstream.submit(model, { prompt })
  assert.deepEqual(faultOf(await submit('sandbox:invalid')), ['failed', 'invalid_input'])
  const endings = { refuse: 'content_policy', fail: 'upstream_error', empty: 'no_result' }
  for (const [word, code] of Object.entries(endings)) {
    const ticket = ticketOf(await submit(`a fox, sandbox:${word}`))
    upstream.clock.now += 1000
    assert.deepEqual(faultOf(await upstream.look(ticket)), ['failed', code])
  }
})

test('the mock refuses what the service refuses', async (t) => {
  const upstream = await startMock(t, longstoriesMock, longstories)
  assert.deepEqual(faultOf(await upstream.submit(model, {})), ['failed', 'invalid_input'])
  const square = await upstream.submit(model, { prompt: 'A fox', aspect_ratio: '1:1' })
  assert.deepEqual(faultOf(square), ['failed', 'invalid_input'])
  const unknown = { id: 'run_17', path: '/short?runId=run_17' }
  assert.deepEqual(faultOf(await upstream.look(unknown)), ['unclear', 'task_lost'])
  const locked = await startMock(t, longstoriesMock, longstories, {
    credentials: { LONGSTORIES_API_KEY: '' },
  })
  assert.deepEqual(faultOf(await locked.submit(model, { prompt: 'A fox' })), ['failed', 'bad_credentials'])
})

test('a film is never longer than what is billed', () => {
  const ask = (body: Record<string, unknown>, handling: 'lenient' | 'strict' = 'strict') =>
    validateRequest({ model, prompt: 'A fox', ...body }, { handling })
  const short = ask({ targetLengthInWords: 70 })
  assert.ok(short.ok)
  assert.deepEqual(quotePrice(short.model, short.input), { usd: 1.2, seconds: 60 })
  for (const untold of [{ targetLengthInWords: 500 }, { scriptConfig: { targetLengthInSeconds: '240' } }]) {
    const long = ask(untold)
    assert.ok(!long.ok)
    assert.equal(long.problems[0].field, 'duration')
    assert.match(long.problems[0].message, /needs `duration` 300$/)
    assert.equal(ask({ ...untold, duration: 300 }).ok, true)
    const lengthened = ask(untold, 'lenient')
    assert.ok(lengthened.ok)
    assert.equal(lengthened.input.duration, 300)
    assert.match(lengthened.warnings[0] ?? '', /needs `duration` 300: rendered and billed as 300$/)
  }
})

test('a story with nothing to film is refused before anybody is asked', () => {
  const empty = validateRequest({ model, storyConfig: { scenes: [{ mood: 'dark' }] } })
  assert.ok(!empty.ok)
  assert.equal(empty.problems[0].field, 'storyConfig')
})

test('settings that the service does not list are left out; a value that it does not take is named', () => {
  const mapping = longstories.models['longstories-movie']
  assert(mapping !== undefined)
  const story = {
    prompt: 'A fox',
    musicConfig: { volume: 0.5, tempo: 3 },
    storyConfig: { effectsConfig: { glow: true } },
  }
  const { body } = mapping.toRequest(story)
  assert.deepEqual([body.musicConfig, body.effectsConfig], [{ volume: 0.5 }, undefined])
  const { settings } = orderFor(longstories, story)
  const rejected = (input: Input) =>
    longstories.check?.(mapping, input, settings).map(({ message }) => message)
  assert.deepEqual(rejected(story), [])
  assert.deepEqual(rejected({ ...story, musicConfig: { volume: 7 } }), [
    '`musicConfig.volume` must be from 0 to 1 for LongStories; got 7',
  ])
  assert.match(rejected({ ...story, framework: 'noir' })?.[0] ?? '', /^`framework` must be one of default, /)
  const universe = { ...settings, LONGSTORIES_MOVIE_SLUG: 'movies' }
  assert.match(
    longstories.check?.(mapping, { ...story, language: 'english' }, universe)[0]?.message ?? '',
    /^`language`/,
  )
})
