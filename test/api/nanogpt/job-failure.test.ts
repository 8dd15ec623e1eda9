import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, faults } from '../../../providers/faults.ts'
import { contentRefusalPattern, toJobFailure } from '../../../src/api/responses/job-failure.ts'
import type { JobView } from '../../../src/jobs/job.ts'
import { completedAt, type dialects, ids, readStatusReplies, view } from './status-replies.ts'

type Failing = {
  name: string
  change: Partial<JobView>
  nested: string
  statuses: Record<(typeof dialects)[number], string>
  stage: string
  error: { message: string; type: string; code: string }
  refused?: true
}

const failedStatuses = { current: 'failed', seed: 'failed', first: 'FAILED' }

const failing: readonly Failing[] = [
  {
    name: 'failed',
    change: { state: 'failed', error: { code: 'upstream_error', message: 'The renderer crashed' } },
    nested: 'FAILED',
    statuses: failedStatuses,
    stage: 'failed',
    error: { message: 'The renderer crashed', type: 'api_error', code: 'upstream_error' },
  },
  {
    name: 'refused for its content',
    change: { state: 'failed', error: { code: 'content_policy', message: 'Your prompt was flagged' } },
    nested: 'FAILED',
    statuses: failedStatuses,
    stage: 'failed',
    error: { message: 'Your prompt was flagged', type: 'CONTENT_POLICY_VIOLATION', code: 'content_policy' },
    refused: true,
  },
  {
    name: 'rejected with a text that clients do not know',
    change: { state: 'failed', error: { code: 'content_policy', message: 'Not that' } },
    nested: 'FAILED',
    statuses: failedStatuses,
    stage: 'failed',
    error: { message: 'Content policy: Not that', type: 'CONTENT_POLICY_VIOLATION', code: 'content_policy' },
    refused: true,
  },
  {
    name: 'canceled by its caller',
    change: { state: 'canceled', error: { code: 'canceled', message: 'You canceled it' } },
    nested: 'CANCELED',
    statuses: { current: 'cancelled', seed: 'failed', first: 'FAILED' },
    stage: 'canceled',
    error: { message: 'You canceled it', type: 'invalid_request_error', code: 'canceled' },
  },
  {
    name: 'canceled by the upstream',
    change: { state: 'canceled', error: { code: 'task_lost', message: 'gone' } },
    nested: 'FAILED',
    statuses: failedStatuses,
    stage: 'canceled',
    error: { message: 'canceled', type: 'invalid_request_error', code: 'canceled' },
  },
]

for (const { name, change, nested, statuses, stage, error, refused } of failing) {
  test(`the exact status of a job that is ${name}, on every path`, async (t) => {
    const rejection = refused === true ? { isNSFWError: true } : {}
    for (const { dialect, body } of await readStatusReplies(t, { ...change, completedAt })) {
      assert.deepEqual(body, {
        ...ids,
        id: 'vid_abc',
        model: 'veo2-video',
        status: statuses[dialect],
        stage,
        progress: 40,
        estimatedTimeRemaining: null,
        videoUrl: null,
        error: dialect === 'seed' ? error : error.message,
        createdAt: '2026-11-01T12:00:00.250Z',
        completedAt: '2026-11-01T12:01:30.000Z',
        paymentSource: 'USD',
        userFriendlyError: error.message,
        ...rejection,
        data: {
          status: nested,
          ...ids,
          request_id: 'vid_abc',
          projectId: 'vid_abc',
          model: 'veo2-video',
          output: null,
          isCompleted: true,
          isSuccess: false,
          progress: 40,
          estimatedTimeRemaining: null,
          error: error.message,
          userFriendlyError: error.message,
          ...rejection,
        },
      })
    }
  })
}

const messageOf = (code: FaultCode, message: string) =>
  toJobFailure({ ...view, state: 'failed', error: { code, message } })?.message ?? ''

test('only a content rejection is reported as one, whatever the text of the upstream', () => {
  const texts = ['safety moderation nsfw', 'flagged by the content policy', 'sensitive', 'Image denied']
  for (const code of Object.keys(faults) as FaultCode[])
    for (const text of texts) {
      const isRefusal = contentRefusalPattern.test(messageOf(code, text))
      assert.equal(isRefusal, code === 'content_policy', `${code}: ${text}`)
    }
  assert.notEqual(messageOf('invalid_input', 'nsfw'), messageOf('upstream_error', 'nsfw'))
})

test('a stored error text stays the same, since records of earlier versions hold such texts', () => {
  for (const code of Object.keys(faults) as FaultCode[])
    for (const text of ['no', 'nsfw', 'sensitive']) {
      const worded = messageOf(code, text)
      assert.equal(messageOf(code, worded), worded)
    }
})
