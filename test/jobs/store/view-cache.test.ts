import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobView } from '../../../src/jobs/job.ts'
import { createViewCache } from '../../../src/jobs/store/job-reader.ts'

const view = {
  id: 'vid_1',
  version: 1,
  model: 'sora-2',
  state: 'pending',
  progress: 0,
  createdAt: 1,
  costUsd: 0,
}
const text = JSON.stringify(view)

test('the view of a record is one object until the record changes', () => {
  const viewOf = createViewCache()
  const first = viewOf('vid_1', text, '3')
  assert.deepEqual(first, { ...view, version: 3 } as JobView)
  assert.equal(viewOf('vid_1', text, '3'), first)
  assert.equal(viewOf('vid_1', text, '4').version, 4)
  const running = viewOf('vid_1', text.replace('pending', 'generating'), '4')
  assert.equal(running.state, 'generating')
  assert.notEqual(viewOf('vid_1', text, '3'), first)
})

test('the number of cached views is limited', () => {
  const viewOf = createViewCache()
  const first = viewOf('vid_first', text, '1')
  for (let other = 0; other < 10_000; other++) viewOf(`vid_${other}`, text, '1')
  assert.notEqual(viewOf('vid_first', text, '1'), first)
  assert.equal(viewOf('vid_9999', text, '1'), viewOf('vid_9999', text, '1'))
})

test('2000 views are cached, and a new one replaces the least recently read', () => {
  const viewOf = createViewCache()
  const views = Array.from({ length: 2000 }, (_, n) => viewOf(`vid_${n}`, text, '1'))
  assert.equal(viewOf('vid_0', text, '1'), views[0])
  viewOf('vid_1', text, '2')
  assert.equal(viewOf('vid_2', text, '1'), views[2], 'a change of a known one takes no place')
  viewOf('vid_new', text, '1')
  assert.equal(viewOf('vid_0', text, '1'), views[0])
  assert.equal(viewOf('vid_1999', text, '1'), views[1999])
  assert.notEqual(viewOf('vid_3', text, '1'), views[3])
})
