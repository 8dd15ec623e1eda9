import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultCode, fault } from '../../providers/faults.ts'
import type { TaskReference } from '../../providers/provider.ts'
import { createFinishedJobLog } from '../../src/jobs/finished-job-log.ts'
import type { Job, JobWork } from '../../src/jobs/job.ts'
import { decideSettlement } from '../../src/jobs/store/settlement.ts'
import { createFailedTransition, createSucceededTransition } from '../../src/jobs/store/transition.ts'

const attempt = { id: 'attempt-1', provider: 'fal', at: 1 } as const
const baseWork: JobWork = {
  route: ['fal'],
  deadlineAt: 9e15,
  attempt,
  attempts: 2,
  refusals: 0,
  misses: 0,
  polls: 3,
}

function createJob(work: Partial<JobWork> = {}, sandbox = false): Job {
  return {
    view: {
      id: 'vid_1',
      version: 4,
      model: 'veo2-video',
      state: 'generating',
      progress: 50,
      createdAt: 1000,
      costUsd: 0.5,
      ...(sandbox && { sandbox }),
    },
    owner: 'key_ann',
    input: { prompt: 'a paper boat crosses a puddle' },
    work: { ...baseWork, ...work },
    leaseToken: 1,
    cancelRequested: false,
    callbackSecret: 'secret',
  }
}

const upstream = { provider: { task: { id: ({ task }: TaskReference) => String(task) } } } as never

function log(job: Job, transition: ReturnType<typeof createFailedTransition>) {
  const lines: Record<string, unknown>[] = []
  const write = (level: string) => (fields: Record<string, unknown>) => void lines.push({ level, ...fields })
  const logFinishedJob = createFinishedJobLog({
    logger: { info: write('info'), warn: write('warn') },
    routing: { find: () => upstream },
  })
  const settlement = decideSettlement(job.view.state, transition.view, transition.work)
  logFinishedJob({ job, transition, settlement })
  assert.equal(lines.length, 1)
  return lines[0] ?? {}
}

const failWith = (code: FaultCode, message = 'a reason', work: Partial<JobWork> = {}, sandbox = false) => {
  const job = createJob(work, sandbox)
  return log(job, createFailedTransition(job, fault(code, message), 5000))
}

describe('the log line of a finished job', () => {
  it('contains the job, its key, its upstream and task, the attempts, the cost and the duration', () => {
    const job = createJob({ ticket: { task: 'task-9' }, takenAt: 2, upstreamCostUsd: 0.4 })
    const line = log(job, createSucceededTransition(job, [{ url: '/files/a.mp4' }], 5000))
    assert.deepEqual(line, {
      level: 'info',
      job: 'vid_1',
      model: 'veo2-video',
      key: 'key_ann',
      state: 'succeeded',
      provider: 'fal',
      upstreamTask: 'task-9',
      attempts: 2,
      costUsd: 0.5,
      upstreamCostUsd: 0.4,
      durationMs: 4000,
    })
  })

  it('has the fault and its reason', () => {
    const { level, state, fault: code, reason, costUsd } = failWith('upstream_error', 'out of GPUs')
    assert.deepEqual(
      [level, state, code, reason, costUsd],
      ['info', 'failed', 'upstream_error', 'upstream_error: out of GPUs', 0],
    )
  })

  for (const code of ['bad_credentials', 'no_credit', 'endpoint_gone', 'submission_unknown'] as const) {
    it(`is a warning for ${code}: an operator must act`, () => {
      assert.equal(failWith(code).level, 'warn')
      assert.equal(failWith(code, 'a reason', {}, true).level, 'info', 'not in the sandbox')
    })
  }

  it('is a warning if money is on hold', () => {
    const { level, costUsd, onHoldUsd } = failWith('task_lost', 'gone', { takenAt: 2 })
    assert.deepEqual([level, costUsd, onHoldUsd], ['warn', 0, 0.5])
  })

  it('never contains the prompt', () => {
    assert.equal(failWith('content_policy', 'not allowed').reason, undefined)
    const { reason } = failWith('upstream_error', 'cannot parse "A paper boat crosses a puddle"')
    assert.equal(reason, undefined)
  })
})
