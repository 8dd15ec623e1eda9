import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createEngine } from '../../src/engine/engine.ts'
import { createWithdrawals } from '../../src/engine/withdrawals.ts'
import { createCleanup, quiet, temporaryFolder } from '../setup.ts'

describe('jobs whose client was told that they were not accepted', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  const open = async (dir: string, cancel: (id: string) => Promise<unknown>) => {
    const withdrawals = await createWithdrawals({ dir, cancel, logger: quiet })
    cleanup.add(() => withdrawals.stop())
    return withdrawals
  }
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  it('are canceled as soon as Redis replies, and forgotten then', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const canceled: string[] = []
    let refusals = 1
    const { add } = await open(dir, async (id) => {
      refusals -= 1
      if (refusals >= 0) throw new Error('away')
      canceled.push(id)
    })
    await add('vid_1')
    assert.deepEqual(await readdir(dir), ['vid_1'])
    await until(() => canceled.length === 1)
    assert.deepEqual(canceled, ['vid_1'])
    await until(async () => (await readdir(dir)).length === 0)
  })

  it('are canceled by the next process when this one crashes before', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const { add } = await open(dir, () => Promise.reject(new Error('away')))
    await add('vid_1')
    const canceled: string[] = []
    await open(dir, async (id) => canceled.push(id))
    await until(() => canceled.includes('vid_1'))
  })

  it('are looked for again when Redis has not executed the submit yet', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    let looks = 0
    const { add } = await open(dir, async () => {
      looks += 1
      return looks === 1 ? 'absent' : 'asked'
    })
    await add('vid_1')
    await until(async () => (await readdir(dir)).length === 0)
    assert.equal(looks, 2)
  })

  it('are noted before the client gets its answer, unless it can find the job by its idempotency key', async () => {
    const order: string[] = []
    const engine = createEngine({
      store: { accept: () => Promise.reject(new Error('Connection is closed.')) } as never,
      queues: {} as never,
      watchers: {} as never,
      longestJobSeconds: 60,
      withdraw: async (id) => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        order.push(`noted ${id}`)
      },
    })
    const submit = async (id: string, once?: { key: string; fingerprint: string }) => {
      const accepted = engine.accept({
        id,
        owner: 'ann',
        model: 'any',
        input: {},
        route: ['fal'],
        deadlineSeconds: 60,
        costUsd: 0,
        sandbox: false,
        ...(once && { once }),
      })
      await assert.rejects(accepted)
      order.push(`answered ${id}`)
    }
    await submit('a')
    await submit('b', { key: 'k', fingerprint: 'f' })
    assert.deepEqual(order, ['noted a', 'answered a', 'answered b'])
  })
})
