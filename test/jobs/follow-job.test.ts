import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { followJob } from '../../src/jobs/follow-job.ts'
import type { HistoryEntry, JobState, JobView } from '../../src/jobs/job.ts'
import type { JobWatcher } from '../../src/jobs/watchers.ts'

const viewOf = (version: number, state: JobState): JobView => ({
  id: 'a',
  version,
  model: 'veo',
  state,
  progress: version * 10,
  createdAt: 1,
  costUsd: 1,
  ...(state === 'succeeded' && { completedAt: 9, videos: [{ url: '/a.mp4' }] }),
})

/** A job whose changes are stored, and published or not. */
function createSource(states: JobState[] = ['pending']) {
  const stored = [...states]
  let watcher: JobWatcher | undefined
  let stops = 0
  const failures: string[] = []
  const fail = (name: string) => {
    const at = failures.indexOf(name)
    if (at < 0) return
    failures.splice(at, 1)
    throw new Error('away')
  }
  const now = () => viewOf(stored.length, stored.at(-1) ?? 'pending')
  return {
    failures,
    stops: () => stops,
    notify: (view: JobView) => watcher?.onChange(view),
    miss: () => watcher?.onMissed(),
    /** Stores a change, and publishes it. */
    move(state: JobState, changes = true) {
      stored.push(state)
      if (changes) watcher?.onChange(now())
    },
    remove: () => stored.splice(0),
    source: {
      readStatus: async () => {
        fail('status')
        return stored.length === 0 ? undefined : { owner: 'ann', view: now() }
      },
      readHistoryAfter: async (_: string, version: number) => {
        fail('since')
        return stored.slice(version).map((state, at) => {
          const event: HistoryEntry = { at: 1, state, progress: (version + at + 1) * 10 }
          return { version: version + at + 1, entry: event }
        })
      },
      watch: async (_: string, given: JobWatcher) => {
        watcher = given
        return () => void stops++
      },
    },
  }
}

async function begin(job: ReturnType<typeof createSource>, after?: number) {
  const changes: string[] = []
  const views: JobView[] = []
  let ends = 0
  const stop = await followJob(job.source, 'a', {
    after,
    onChange: (view) => {
      views.push(view)
      changes.push(`${view.version} ${view.state}`)
    },
    onEnd: () => void ends++,
  })
  return { changes, views, stop, ends: () => ends }
}

const turn = () => new Promise(setImmediate)

describe('a follower of a job', () => {
  it('receives the current state, then each change, then the end, once', async () => {
    const job = createSource()
    const { changes, ends } = await begin(job)
    job.move('queued')
    job.move('generating')
    assert.equal(ends(), 0)
    job.move('succeeded')
    assert.deepEqual(changes, ['1 pending', '2 queued', '3 generating', '4 succeeded'])
    assert.equal(ends(), 1)
    assert.equal(job.stops(), 1)
    job.notify(viewOf(5, 'succeeded'))
    assert.equal(changes.length, 4)
  })

  it('resumes after the given version', async () => {
    const job = createSource(['pending', 'queued', 'generating'])
    const { changes } = await begin(job, 1)
    assert.deepEqual(changes, ['2 queued', '3 generating'])
  })

  it('receives no change twice and no old change', async () => {
    const job = createSource(['pending', 'queued'])
    const { changes } = await begin(job, 2)
    job.notify(viewOf(2, 'queued'))
    job.notify(viewOf(1, 'pending'))
    await turn()
    assert.deepEqual(changes, [])
    job.move('generating')
    assert.deepEqual(changes, ['3 generating'])
  })

  it('receives missed changes in order, before new ones', async () => {
    const job = createSource()
    const { changes } = await begin(job)
    job.move('queued', false)
    job.move('processing', false)
    job.move('generating')
    await turn()
    assert.deepEqual(changes, ['1 pending', '2 queued', '3 processing', '4 generating'])
  })

  it('receives the changes that it missed while disconnected', async () => {
    const job = createSource()
    const { changes } = await begin(job)
    job.move('queued', false)
    job.miss()
    await turn()
    assert.deepEqual(changes, ['1 pending', '2 queued'])
  })

  it('receives the changes that happen while the history is read', async () => {
    const job = createSource(['pending', 'queued'])
    const { source } = job
    const readHistoryAfter = source.readHistoryAfter
    let moved = false
    source.readHistoryAfter = async (id, version) => {
      const entries = await readHistoryAfter(id, version)
      if (!moved) {
        moved = true
        job.move('generating')
      }
      return entries
    }
    const { changes } = await begin(job, 1)
    assert.deepEqual(changes, ['2 queued', '3 generating'])
  })

  it('starts from the beginning with a version that does not exist', async () => {
    const job = createSource(['pending', 'queued'])
    const { changes } = await begin(job, 9)
    assert.deepEqual(changes, ['2 queued'])
  })

  it('receives the files with the last change only', async () => {
    const job = createSource(['pending', 'generating', 'succeeded'])
    const { views, ends } = await begin(job, 1)
    assert.deepEqual(
      views.map(({ state }) => state),
      ['generating', 'succeeded'],
    )
    assert.equal(views[0]?.videos, undefined)
    assert.equal(views[0]?.completedAt, undefined)
    assert.equal(views[0]?.progress, 20)
    assert.deepEqual(views[1]?.videos, [{ url: '/a.mp4' }])
    assert.equal(ends(), 1)
  })

  it('receives the end if no change is left', async () => {
    const job = createSource(['pending', 'succeeded'])
    const { changes, ends } = await begin(job, 2)
    assert.deepEqual(changes, [])
    assert.equal(ends(), 1)
    assert.equal(job.stops(), 1)
  })

  it('receives the end if the job is gone', async () => {
    const job = createSource()
    const { changes, ends } = await begin(job)
    job.remove()
    job.miss()
    await turn()
    assert.deepEqual(changes, ['1 pending'])
    assert.equal(ends(), 1)
  })

  it('receives nothing after it has stopped', async () => {
    const job = createSource()
    const { changes, stop, ends } = await begin(job)
    stop()
    job.move('queued')
    job.move('succeeded')
    job.miss()
    await turn()
    assert.deepEqual(changes, ['1 pending'])
    assert.equal(ends(), 0)
    assert.equal(job.stops(), 1)
  })

  it('receives all changes even if the store is temporarily unavailable', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const job = createSource(['pending', 'queued'])
    job.failures.push('status', 'since')
    const following = begin(job, 1)
    for (let n = 0; n < 2; n++) {
      await turn()
      await turn()
      t.mock.timers.tick(500)
    }
    const { changes } = await following
    assert.deepEqual(changes, ['2 queued'])
    job.move('generating')
    assert.deepEqual(changes, ['2 queued', '3 generating'])
  })
})
