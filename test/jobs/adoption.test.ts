import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Provider } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import { buildAdoptedRecord } from '../../src/jobs/adoption.ts'
import type { JobView, JobWork } from '../../src/jobs/job.ts'
import { model } from './job-harness.ts'

const now = 1_800_000_000_000
const attempt = { id: 'attempt-1', provider: 'runware', at: 1_700_000_000_000 } as const
const view: JobView = {
  id: 'vid_1',
  version: 4,
  model,
  state: 'failed',
  progress: 40,
  createdAt: 1,
  completedAt: 2,
  error: { code: 'submission_unknown', message: 'm' },
  costUsd: 0.5,
}
const work: JobWork = { route: ['fal', 'runware'], deadlineAt: 3, attempt, refusals: 2, misses: 4, polls: 7 }

describe('the record of a job with an adopted task', () => {
  const requests: unknown[] = []
  const ticketOf: Provider['task']['reference'] = (id, request) => {
    requests.push(request)
    return id === 'unheard' ? undefined : { task: `${id} of ours` }
  }
  const task: Provider['task'] = { reference: ticketOf, id: ({ task }) => `id ${task}` }
  const mapping = runware.models[model] ?? assert.fail()
  const deps = {
    routing: {
      find: ({ id }: { id: string }, name: string) =>
        id === model && name === 'runware' ? { provider: { ...runware, task }, mapping } : undefined,
    },
    settingsOf: (provider: string) => ({ account: `of ${provider}` }),
    deadlineMs: (id: string) => (id === model ? 60_000 : 1),
  } as Parameters<typeof buildAdoptedRecord>[0]

  function adopt(changes: { view?: Partial<JobView>; work?: Partial<JobWork> } = {}, id = 'task-1') {
    const input = { prompt: 'a boat' }
    return buildAdoptedRecord(
      deps,
      { view: { ...view, ...changes.view }, work: { ...work, ...changes.work }, input },
      id,
      now,
    )
  }
  const adopted = (changes: Parameters<typeof adopt>[0] = {}) => {
    const made = adopt(changes)
    if (typeof made === 'string') assert.fail(made)
    return {
      ...made,
      view: JSON.parse(made.view),
      work: JSON.parse(made.work),
      event: JSON.parse(made.event),
    }
  }

  it('is queued at the upstream of its attempt, with a fresh deadline', () => {
    const { error: _, completedAt: __, version: ___, ...rest } = view
    assert.deepEqual(adopted(), {
      version: 4,
      view: { ...rest, state: 'queued', adoptions: 1 },
      work: {
        route: ['runware'],
        deadlineAt: now + 60_000,
        attempt,
        ticket: { task: 'task-1 of ours' },
        takenAt: now,
        refusals: 0,
        misses: 0,
        polls: 0,
      },
      attempt: 'attempt-1',
      event: { at: now, state: 'queued', progress: 40, provider: 'runware', reason: 'adopted: task-1' },
      dueAt: now + 5000,
      queue: 'runware',
      task: { provider: 'runware', id: 'id task-1 of ours', ticket: { task: 'task-1 of ours' } },
    })
  })

  it('preserves its links and its price data', () => {
    const uploadedLinks = { image: [{ url: 'https://files.example/a.png' }] } as unknown as NonNullable<
      JobWork['handed']
    >
    const meter = { usdPerSecond: 1, markupPercent: 2, usualSeconds: 3 }
    const adoptedWork = adopted({ work: { handed: uploadedLinks, meter } }).work
    assert.deepEqual([adoptedWork.handed, adoptedWork.meter], [uploadedLinks, meter])
  })

  it('counts its adoptions', () => assert.equal(adopted({ view: { adoptions: 1 } }).view.adoptions, 2))

  it('has the ticket that the provider creates from the request', () => {
    requests.length = 0
    adopted()
    assert.deepEqual(requests, [
      {
        jobId: 'vid_1',
        attempt: 'attempt-1',
        input: { prompt: 'a boat' },
        at: new Date(attempt.at),
        settings: { account: 'of runware' },
      },
    ])
  })

  it('is not built without an attempt at an upstream that still has the model', () => {
    const { attempt: _, ...unsent } = work
    assert.equal(buildAdoptedRecord(deps, { view, work: unsent, input: {} }, 'task-1', now), 'no_attempt')
    assert.equal(adopt({ view: { model: 'other' } }), 'no_attempt')
    assert.equal(adopt({ work: { attempt: { ...attempt, provider: 'fal' } } }), 'no_attempt')
  })

  it('is not built for an ID that the upstream cannot have returned', () =>
    assert.equal(adopt({}, 'unheard'), 'no_such_task'))
})
