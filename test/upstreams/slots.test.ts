import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createKeys } from '../../src/redis/keys.ts'
import { createUpstreamSlots, type UpstreamSlots } from '../../src/upstreams/slots.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

describe('slots of an upstream', () => {
  const cleanup = createCleanup()
  let slots: UpstreamSlots

  before(async () => {
    const { redis } = await startRedis(cleanup)
    slots = createUpstreamSlots({ redis, keys: createKeys('slots:'), maxJobs: { fal: 2 } })
  })
  after(() => cleanup.run())

  it('are granted in order, one caller after the other, up to the limit', async () => {
    const acquire = (id: string, owner: string, createdAt: number) =>
      slots.acquire('fal', { id, owner, createdAt })
    assert.equal((await acquire('a1', 'ann', 1)).isAcquired, true)
    assert.equal((await acquire('a2', 'ann', 2)).isAcquired, true)
    for (const [id, at] of [
      ['a4', 4],
      ['a3', 3],
      ['a5', 5],
    ] as const)
      assert.equal((await acquire(id, 'ann', at)).isAcquired, false)
    assert.equal((await acquire('b1', 'bob', 6)).isAcquired, false)
    assert.equal((await acquire('a1', 'ann', 1)).isAcquired, true, 'who has a place keeps it')

    const first = await slots.release('fal', { id: 'a1', owner: 'ann' })
    const second = await slots.release('fal', { id: 'a2', owner: 'ann' })
    assert.deepEqual(
      [...first, ...second].sort(),
      ['a3', 'b1'],
      'bob, who came last, does not wait for all of ann',
    )
    assert.deepEqual(await slots.release('fal', { id: 'b1', owner: 'bob' }), ['a4'])
    assert.deepEqual(
      await slots.release('fal', { id: 'a5', owner: 'ann' }),
      [],
      'one that leaves the line frees nothing',
    )
    assert.deepEqual((await slots.listHolders()).map(({ id }) => id).sort(), ['a3', 'a4'])
  })

  it('are not counted if the operator has set no limit', async () => {
    assert.deepEqual(await slots.acquire('runware', { id: 'x', owner: 'ann', createdAt: 1 }), {
      isAcquired: true,
      granted: [],
    })
  })
})
