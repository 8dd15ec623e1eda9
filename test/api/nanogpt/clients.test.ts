import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, flag, text } from '../../../providers/reader.ts'
import type { JobView } from '../../../src/jobs/job.ts'
import { plainBody, startGateway } from '../gateway.ts'

/** What a client program reads from a reply: the state, and what it would show. */
type Reading = {
  id?: string | undefined
  state: 'wait' | 'done' | 'failed' | 'lost'
  url?: string | undefined
  error?: string | undefined
}

/** How kinds of client programs read replies, as section 5 of the wire contract observed them. */
type Reader = {
  name: string
  path: string
  idOf(reply: unknown): string | undefined
  read(reply: unknown): Reading
}

const nestedStates = {
  IN_QUEUE: 'wait',
  IN_PROGRESS: 'wait',
  COMPLETED: 'done',
  FAILED: 'failed',
  CANCELED: 'failed',
} as const
const flatStates = {
  queued: 'wait',
  processing: 'wait',
  completed: 'done',
  failed: 'failed',
  cancelled: 'failed',
} as const
const seedStates = {
  pending: 'wait',
  queued: 'wait',
  processing: 'wait',
  generating: 'wait',
  delivering: 'wait',
  succeeded: 'done',
  failed: 'failed',
} as const
const legacyStates = { PENDING: 'wait', PROCESSING: 'wait', COMPLETED: 'done', FAILED: 'failed' } as const

/** A status that a strict client does not know ends its job. */
function stateOf(
  states: Readonly<Record<string, Reading['state']>>,
  word: string | undefined,
): Reading['state'] {
  return states[word ?? ''] ?? 'lost'
}

const readers: readonly Reader[] = [
  {
    name: 'nested first, user-friendly text first',
    path: '/api/video/status?requestId=',
    idOf: (reply) => text(reply, 'requestId') ?? text(reply, 'runId'),
    read: (reply) => ({
      id: text(reply, 'requestId'),
      state: stateOf(nestedStates, (text(reply, 'data', 'status') ?? text(reply, 'status'))?.toUpperCase()),
      url:
        text(reply, 'data', 'output', 'video', 'url') ??
        text(reply, 'data', 'output', 'url') ??
        text(reply, 'videoUrl'),
      error: text(reply, 'data', 'userFriendlyError') ?? text(reply, 'data', 'error'),
    }),
  },
  {
    name: 'nested by the letter, with the key output always there',
    path: '/api/generate-video/status?runId=',
    idOf: (reply) => text(reply, 'runId'),
    read: (reply) => {
      assert.notEqual(at(reply, 'data', 'output'), undefined)
      return {
        id: text(reply, 'data', 'request_id'),
        state: stateOf(nestedStates, text(reply, 'data', 'status')),
        url: text(reply, 'data', 'output', 'video', 'url'),
        error: text(reply, 'data', 'error'),
      }
    },
  },
  {
    name: 'flat only',
    path: '/api/video/status?id=',
    idOf: (reply) => text(reply, 'id'),
    read: (reply) => ({
      id: text(reply, 'requestId'),
      state: stateOf(flatStates, text(reply, 'status')),
      url: text(reply, 'videoUrl'),
      error: text(reply, 'error'),
    }),
  },
  {
    name: 'flat only, on the legacy path',
    path: '/generate-video/status?requestId=',
    idOf: (reply) => text(reply, 'runId') ?? text(reply, 'id') ?? text(reply, 'data', 'runId'),
    read: (reply) => ({
      id: text(reply, 'runId'),
      state: stateOf(flatStates, text(reply, 'status')),
      url: text(reply, 'videoUrl') ?? text(reply, 'output', 'video', 'url'),
      error: text(reply, 'error') ?? text(reply, 'userFriendlyError'),
    }),
  },
  {
    name: 'by the page, to the letter',
    path: '/api/video-status?runId=',
    idOf: (reply) => text(reply, 'runId'),
    read: (reply) => ({
      id: text(reply, 'runId'),
      state: stateOf(seedStates, text(reply, 'status')),
      url: text(reply, 'output', 'video', 'url'),
      error: text(reply, 'error', 'message'),
    }),
  },
  {
    name: 'the generated client of March 2025',
    path: '/v1/video/status?projectId=none&runId=',
    idOf: (reply) => text(reply, 'runId'),
    read: (reply) => ({
      id: text(reply, 'data', 'projectId'),
      state: stateOf(legacyStates, text(reply, 'status')),
      url: flag(reply, 'data', 'isSuccess') === true ? text(reply, 'data', 'output', 'url') : undefined,
      error: text(reply, 'data', 'error'),
    }),
  },
  {
    name: 'by the two flags alone',
    path: '/api/v1/video/status?runId=',
    idOf: (reply) => text(reply, 'taskId'),
    read: (reply) => {
      const ended = flag(reply, 'data', 'isCompleted') === true
      const fine = flag(reply, 'data', 'isSuccess') === true
      return {
        id: text(reply, 'id'),
        state: ended ? (fine ? 'done' : 'failed') : 'wait',
        url: text(reply, 'data', 'output', 'videos', '0', 'url') ?? text(reply, 'data', 'output', 'videoUrl'),
        error: text(reply, 'data', 'error') ?? text(reply, 'error'),
      }
    },
  },
  {
    name: 'anything truthy under error, or a text under details, is a failure',
    path: '/api/generate-video/status?runId=',
    idOf: (reply) => (at(reply, 'error') || at(reply, 'data') ? undefined : text(reply, 'runId')),
    read: (reply) => {
      const error = at(reply, 'error') || at(reply, 'data', 'details')
      const url = text(reply, 'data', 'output', 'video', 'url') ?? text(reply, 'output', 'video', 'url')
      return {
        id: text(reply, 'id'),
        state: error ? 'failed' : url === undefined ? 'wait' : 'done',
        url,
        error: error ? String(error) : undefined,
      }
    },
  },
]

const rejection = { code: 'content_policy', message: 'The prompt was not accepted' } as const
const upstreamError = { code: 'upstream_error', message: 'The renderer crashed' } as const

const course: readonly (Partial<JobView> & { expected: Reading['state'] })[] = [
  { expected: 'wait' },
  { state: 'submitting', expected: 'wait' },
  { state: 'queued', expected: 'wait' },
  { state: 'processing', progress: 20, expected: 'wait' },
  { state: 'generating', progress: 60, expected: 'wait' },
  { state: 'delivering', progress: 99, expected: 'wait' },
]

for (const { name, path, idOf, read } of readers) {
  test(`a client that reads ${name} follows a job to its end`, async (t) => {
    const { app, engine } = await startGateway(t)
    const submit = await app.inject({ method: 'POST', url: '/api/generate-video', payload: plainBody })
    const id = idOf(submit.json())
    assert.ok(id !== undefined)
    const poll = async () => read((await app.inject(path + id)).json())
    for (const { expected, ...change } of course) {
      engine.advance(id, change)
      const { state, url, error } = await poll()
      assert.deepEqual({ state, url, error }, { state: expected, url: undefined, error: undefined })
    }
    engine.advance(id, {
      state: 'succeeded',
      progress: 100,
      completedAt: 0,
      videos: [{ url: '/files/a.mp4' }],
    })
    assert.deepEqual(await poll(), {
      id,
      state: 'done',
      url: 'http://localhost:80/files/a.mp4',
      error: undefined,
    })
  })

  test(`a client that reads ${name} detects a failure`, async (t) => {
    const { app, engine } = await startGateway(t)
    const submit = await app.inject({ method: 'POST', url: '/api/generate-video', payload: plainBody })
    const id = idOf(submit.json()) ?? ''
    for (const error of [upstreamError, rejection]) {
      engine.advance(id, { state: 'failed', completedAt: 0, error })
      const reading = await read((await app.inject(path + id)).json())
      assert.equal(reading.state, 'failed')
      assert.equal(reading.url, undefined)
      assert.match(reading.error ?? '', new RegExp(error.message))
      assert.equal(/policy|nsfw|safety|moderation|flagged/i.test(reading.error ?? ''), error === rejection)
    }
  })
}

/** How clients read the error text of a rejected request. */
const errorReaders: readonly ((reply: unknown) => string | undefined)[] = [
  (reply) => text(reply, 'error', 'message') ?? text(reply, 'message'),
  (reply) => text(reply, 'message') ?? text(reply, 'error'),
  (reply) => text(reply, 'message'),
  (reply) => text(reply, 'error') ?? text(reply, 'error', 'message'),
]

test('every way of looking for an error text finds the same one', async (t) => {
  const { app } = await startGateway(t)
  const replies = [
    await app.inject({ method: 'POST', url: '/api/generate-video', payload: { prompt: 'x' } }),
    await app.inject('/api/video/status?requestId=vid_unknown'),
    await app.inject('/api/video/status'),
    await app.inject('/nowhere'),
  ]
  for (const reply of replies) {
    const messages = new Set(errorReaders.map((read) => read(reply.json())))
    assert.equal(messages.size, 1)
    assert.ok(!messages.has(undefined))
    assert.equal(reply.json().status, reply.statusCode)
  }
})
