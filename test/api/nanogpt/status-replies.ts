import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { JobView } from '../../../src/jobs/job.ts'
import { startGateway, submitted } from '../gateway.ts'

export const createdAt = Date.parse('2026-11-01T12:00:00.250Z')
export const completedAt = Date.parse('2026-11-01T12:01:30Z')

export const view: JobView = {
  id: 'vid_abc',
  version: 4,
  model: 'veo2-video',
  state: 'pending',
  progress: 40,
  createdAt,
  costUsd: 2.5,
}

export const ids = { requestId: 'vid_abc', runId: 'vid_abc' }

const paths = { current: '/api/video/status', seed: '/api/video-status', first: '/api/v1/video/status' }
export const dialects = ['current', 'seed', 'first'] as const

/** The status of a job on each of the three paths. */
export async function readStatusReplies(t: TestContext, change: Partial<JobView>) {
  const config = { bodyLimitBytes: 1000, publicUrl: 'https://reel.example/' }
  const { app, engine } = await startGateway(t, { config })
  const id = await submitted(app)
  engine.advance(id, { ...view, ...change, id: view.id })
  const replies = await Promise.all(dialects.map((dialect) => app.inject(`${paths[dialect]}?runId=${id}`)))
  return replies.map((reply, index) => {
    assert.equal(reply.statusCode, 200)
    assert.equal(reply.headers['content-type'], 'application/json')
    return { dialect: dialects[index] ?? 'current', body: reply.json() }
  })
}
