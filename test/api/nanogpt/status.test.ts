import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faults } from '../../../providers/faults.ts'
import { buildStatusBody, renderStatus } from '../../../src/api/nanogpt/status-body.ts'
import { contentRefusalPattern } from '../../../src/api/responses/job-failure.ts'
import { type JobView, jobStates } from '../../../src/jobs/job.ts'
import { asAlice, asBobby, startGateway, submitted, twoPeople } from '../gateway.ts'
import { completedAt, createdAt, dialects, ids, readStatusReplies, view } from './status-replies.ts'

const result = [{ url: '/files/a.mp4', thumbnailUrl: '/files/a.jpg' }, { url: 'https://cdn.example/b.mp4' }]

/** State -> nested, current, seed, first. */
const table: readonly [string, Partial<JobView>, string, string, string, string][] = [
  ['accepted', { state: 'pending' }, 'IN_QUEUE', 'queued', 'pending', 'PENDING'],
  ['submitting', { state: 'submitting' }, 'IN_QUEUE', 'queued', 'pending', 'PENDING'],
  ['queued', { state: 'queued' }, 'IN_QUEUE', 'queued', 'queued', 'PENDING'],
  ['processing', { state: 'processing' }, 'IN_PROGRESS', 'processing', 'processing', 'PROCESSING'],
  ['generating', { state: 'generating' }, 'IN_PROGRESS', 'processing', 'generating', 'PROCESSING'],
  ['delivering', { state: 'delivering' }, 'IN_PROGRESS', 'processing', 'delivering', 'PROCESSING'],
]

test('the table of states is complete', () => {
  const named = new Set([...table.map(([, change]) => change.state), 'succeeded', 'failed', 'canceled'])
  assert.deepEqual(named, new Set(jobStates))
})

for (const [name, change, nested, ...statuses] of table) {
  test(`the exact status of a job that is ${name}, on every path`, async (t) => {
    for (const { dialect, body } of await readStatusReplies(t, change)) {
      assert.deepEqual(body, {
        ...ids,
        id: 'vid_abc',
        model: 'veo2-video',
        status: statuses[dialects.indexOf(dialect)],
        stage: name === 'accepted' || name === 'submitting' ? 'pending' : name,
        progress: 40,
        estimatedTimeRemaining: null,
        videoUrl: null,
        error: null,
        createdAt: '2026-11-01T12:00:00.250Z',
        completedAt: null,
        paymentSource: 'USD',
        data: {
          status: nested,
          ...ids,
          request_id: 'vid_abc',
          projectId: 'vid_abc',
          model: 'veo2-video',
          output: null,
          isCompleted: false,
          isSuccess: false,
          progress: 40,
          estimatedTimeRemaining: null,
          error: null,
        },
      })
    }
  })
}

const doneStatuses = { current: 'completed', seed: 'succeeded', first: 'COMPLETED' }

test('the exact status of a finished job, on every path', async (t) => {
  const url = 'https://reel.example/files/a.mp4'
  const change: Partial<JobView> = {
    state: 'succeeded',
    progress: 100,
    completedAt,
    videos: result,
    sandbox: true,
  }
  for (const { dialect, body } of await readStatusReplies(t, change))
    assert.deepEqual(body, {
      ...ids,
      id: 'vid_abc',
      model: 'veo2-video',
      status: doneStatuses[dialect],
      stage: 'succeeded',
      progress: 100,
      estimatedTimeRemaining: null,
      videoUrl: url,
      error: null,
      createdAt: '2026-11-01T12:00:00.250Z',
      completedAt: '2026-11-01T12:01:30.000Z',
      paymentSource: 'USD',
      output: { video: { url } },
      cost: 2.5,
      sandbox: true,
      data: {
        status: 'COMPLETED',
        ...ids,
        request_id: 'vid_abc',
        projectId: 'vid_abc',
        model: 'veo2-video',
        output: {
          video: { url },
          url,
          videoUrl: url,
          videos: [{ url }, { url: 'https://cdn.example/b.mp4' }],
          videoUrls: [url, 'https://cdn.example/b.mp4'],
          thumbnailUrl: 'https://reel.example/files/a.jpg',
        },
        isCompleted: true,
        isSuccess: true,
        progress: 100,
        estimatedTimeRemaining: null,
        error: null,
        cost: 2.5,
      },
    })
})

const options = { dialect: 'seed', baseUrl: 'http://localhost:3000', now: createdAt } as const

test('the type of a failure depends on its code only', () => {
  for (const [code, { type }] of Object.entries(faults)) {
    const error = { code: code as keyof typeof faults, message: 'x' }
    const body = buildStatusBody({ ...view, state: 'failed', error }, options).error
    assert.ok(typeof body === 'object' && body !== null)
    assert.deepEqual([body.code, body.type], [code, type])
  }
})

test('an unknown failure has a text that does not look like a content rejection', () => {
  const { data } = buildStatusBody({ ...view, state: 'failed' }, options)
  assert.equal(data.error, 'The job failed')
  assert.doesNotMatch(data.error, contentRefusalPattern)
  assert.equal(data.isNSFWError, undefined)
})

test('the remaining seconds are whole, never negative, and present only while the job runs', () => {
  const at = (now: number, state: JobView['state'] = 'processing') =>
    buildStatusBody({ ...view, state, expectedAt: createdAt + 30_000 }, { ...options, now })
  assert.equal(at(createdAt).estimatedTimeRemaining, 30)
  assert.equal(at(createdAt + 100).data.estimatedTimeRemaining, 30)
  assert.equal(at(createdAt + 99_000).estimatedTimeRemaining, 0)
  assert.equal(at(createdAt, 'failed').estimatedTimeRemaining, null)
})

test('a cached status equals a newly built one', () => {
  const message = 'said {"estimatedTimeRemaining":7} and "estimatedTimeRemaining":8'
  const running: JobView = { ...view, state: 'generating', expectedAt: createdAt + 30_000 }
  const failed: JobView = { ...view, state: 'failed', error: { code: 'upstream_error', message } }
  const done: JobView = { ...view, state: 'succeeded', completedAt, videos: result }
  let written = 0
  const write = (body: object) => {
    written += 1
    return JSON.stringify(body)
  }
  for (const body of [view, running, failed, done]) {
    for (const dialect of dialects) {
      for (const baseUrl of ['http://localhost:3000', 'https://video.example']) {
        written = 0
        for (const now of [createdAt, createdAt + 1, createdAt + 12_345, createdAt + 99_000]) {
          const as = { dialect, baseUrl, now }
          assert.equal(renderStatus(body, as, write), JSON.stringify(buildStatusBody(body, as)))
        }
        assert.equal(written, 1)
      }
    }
  }
})

test('a cost of zero is a number', () => {
  const body = buildStatusBody(
    { ...view, costUsd: 0, state: 'succeeded', videos: [{ url: '/a.mp4' }] },
    options,
  )
  assert.equal(body.cost, 0)
  assert.equal(body.data.cost, 0)
})

test('a job is visible to its owner only', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const id = await submitted(app, { headers: asAlice })
  const url = `/api/video/status?runId=${id}`
  assert.equal((await app.inject({ url, headers: asAlice })).statusCode, 200)
  const refused = await app.inject({ url, headers: asBobby })
  assert.equal(refused.statusCode, 403)
  assert.equal(refused.json().code, 'forbidden')
})
