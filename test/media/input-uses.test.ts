import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createKeys } from '../../src/engine/keys.ts'
import { createInputUses, type InputUses } from '../../src/media/input-uses.ts'
import { createCleanup, startRedis } from '../setup.ts'

describe('uses of a stored input', () => {
  const cleanup = createCleanup()
  let uses: InputUses
  let removed = 0
  const remove = async () => {
    removed += 1
  }
  before(async () => {
    const { redis } = await startRedis(cleanup)
    uses = createInputUses({ redis, keys: createKeys('uses:'), keepMs: 60_000 })
  })
  after(() => cleanup.run())

  it('the last use of a new file removes it, an earlier one does not', async () => {
    removed = 0
    await uses.add('shared')
    await uses.markNew('shared')
    await uses.add('shared')
    await uses.drop('shared', remove)
    assert.equal(removed, 0)
    await uses.drop('shared', remove)
    assert.equal(removed, 1)
  })

  it('a file that was there before its uses were counted is never removed', async () => {
    removed = 0
    await uses.add('old')
    await uses.drop('old', remove)
    await uses.drop('old', remove)
    assert.equal(removed, 0)
  })

  it('whoever sends the same content during a removal waits for its end', async () => {
    const order: string[] = []
    await uses.add('again')
    await uses.markNew('again')
    let added: Promise<unknown> = Promise.resolve()
    await uses.drop('again', async () => {
      added = uses.add('again').then(() => order.push('added'))
      await new Promise((resolve) => setTimeout(resolve, 150))
      order.push('removed')
    })
    await added
    assert.deepEqual(order, ['removed', 'added'])
  })
})
