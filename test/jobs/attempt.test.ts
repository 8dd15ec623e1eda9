import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runware } from '../../providers/runware/index.ts'
import { buildOrder, deriveAttemptId, fingerprintRequest } from '../../src/jobs/attempt.ts'
import type { Job } from '../../src/jobs/job.ts'
import type { StepDeps } from '../../src/jobs/steps/deps.ts'

const [model = ''] = Object.keys(runware.models)
const mapping = runware.models[model] ?? assert.fail()
const deps = { upstreams: { runware: { settings: { region: 'eu' } } } } as unknown as StepDeps
const jobOf = (id: string, prompt = 'a boat') =>
  ({ view: { id }, input: { prompt }, callbackSecret: 'secret' }) as unknown as Job

describe('the ID of an attempt', () => {
  it('is the same in every version, since a later version may repeat a purchase', () => {
    assert.equal(deriveAttemptId('vid_1', 'runware', 1), 'f6f1da09-bace-4d18-bc65-fa51486ded2a')
    assert.equal(deriveAttemptId('vid_2', 'fal', 12), 'e2930a7b-e1b0-494d-8c34-c3f82eb0bb1c')
  })

  it('differs by job, upstream and number', () => {
    const ids = [
      deriveAttemptId('vid_1', 'runware', 1),
      deriveAttemptId('vid_2', 'runware', 1),
      deriveAttemptId('vid_1', 'fal', 1),
      deriveAttemptId('vid_1', 'runware', 2),
    ]
    assert.equal(new Set(ids).size, 4)
  })

  it('has the shape of a UUID v4', () => {
    for (let n = 0; n < 100; n++)
      assert.match(
        deriveAttemptId('vid_1', 'fal', n),
        /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
      )
  })
})

describe('the attempt that a provider receives', () => {
  const attempt = { id: 'attempt-1', provider: 'runware', at: 1000 } as const

  it('names the job, the attempt, its time and the settings of its upstream', () => {
    assert.deepEqual(buildOrder(deps, jobOf('vid_1'), attempt), {
      jobId: 'vid_1',
      attempt: 'attempt-1',
      input: { prompt: 'a boat' },
      at: new Date(1000),
      settings: { region: 'eu' },
    })
  })

  it('has the callback URL if there is one', () => {
    const callbackUrl = (id: string, secret: string) => `https://gateway.example/${id}/${secret}`
    const request = buildOrder({ ...deps, callbackUrl }, jobOf('vid_1'), attempt)
    assert.equal(request.callbackUrl, 'https://gateway.example/vid_1/secret')
  })
})

describe('the fingerprint of a request', () => {
  const find = { call: () => ({ method: 'GET', path: '' }) as const, read: () => assert.fail() }
  const provider = {
    ...runware,
    find: { ...find, safeToResend: false },
    submit: (_: unknown, request: object) =>
      ({ method: 'POST', path: '/submit', body: JSON.stringify(request) }) as never,
  }
  const of = (job: Job, more: object = {}, all = deps) =>
    fingerprintRequest(all, job, { ...provider, ...more } as typeof runware, mapping)

  it('is the same for two jobs with the same request', () => {
    assert.match(of(jobOf('vid_1')), /^[\da-f]{64}$/)
    assert.equal(of(jobOf('vid_1')), of(jobOf('vid_2')))
  })

  it('is different for another request', () => {
    assert.notEqual(of(jobOf('vid_1')), of(jobOf('vid_1', 'a ship')))
    const elsewhere = { upstreams: { runware: { settings: { region: 'us' } } } } as unknown as StepDeps
    assert.notEqual(of(jobOf('vid_1')), of(jobOf('vid_1'), {}, elsewhere))
  })

  it('does not depend on the job or the time: the provider gets neutral values for both', () => {
    let request: object = {}
    of(jobOf('vid_1'), {
      submit: (_: unknown, given: object) => {
        request = given
        return {}
      },
    })
    assert.deepEqual(request, {
      jobId: '',
      attempt: '00000000-0000-4000-8000-000000000000',
      input: { prompt: 'a boat' },
      at: new Date(0),
      settings: { region: 'eu' },
    })
  })

  it('is empty if the upstream cannot be searched, or distinguishes our attempts', () => {
    assert.equal(of(jobOf('vid_1'), { find: undefined }), '')
    assert.equal(of(jobOf('vid_1'), { find: { ...find, safeToResend: true } }), '')
  })
})
