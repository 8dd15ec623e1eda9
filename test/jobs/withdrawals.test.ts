import assert from 'node:assert/strict'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it, mock } from 'node:test'
import { createEngine } from '../../src/jobs/engine.ts'
import { createWithdrawals } from '../../src/jobs/withdrawals.ts'
import { createCleanup, quiet, temporaryFolder } from '../support/setup.ts'

describe('jobs whose client received a failed submit', () => {
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

  it('are canceled as soon as Redis replies, and then removed from disk', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const canceled: string[] = []
    let rejections = 1
    const { add } = await open(dir, async (id) => {
      rejections -= 1
      if (rejections >= 0) throw new Error('away')
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

  it('are retried after a second, each until it is canceled', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const dir = join(await temporaryFolder(cleanup), 'withdrawals')
      const canceledIds: string[] = []
      let isAway = true
      const { add } = await open(dir, async (id) => {
        canceledIds.push(id)
        if (isAway) throw new Error('away')
      })
      const settled = async () => {
        for (let n = 0; n < 20; n += 1) await new Promise(setImmediate)
      }
      await add('vid_1')
      assert.deepEqual(canceledIds, [])
      mock.timers.tick(0)
      await settled()
      assert.deepEqual(canceledIds, ['vid_1'])
      mock.timers.tick(999)
      await settled()
      assert.deepEqual(canceledIds, ['vid_1'])
      isAway = false
      mock.timers.tick(1)
      while ((await readdir(dir)).length > 0) await new Promise(setImmediate)
      await settled()
      mock.timers.tick(60_000)
      await settled()
      assert.deepEqual(canceledIds, ['vid_1', 'vid_1'])
    } finally {
      mock.timers.reset()
    }
  })

  it('are canceled even if they cannot be written to disk, which is logged', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const canceled: string[] = []
    const logged: unknown[] = []
    const withdrawals = await createWithdrawals({
      dir,
      cancel: async (id) => canceled.push(id),
      logger: { error: (facts: object) => void logged.push(facts) } as never,
    })
    cleanup.add(() => withdrawals.stop())
    await rm(dir, { recursive: true })
    await withdrawals.add('vid_1')
    await until(() => canceled.includes('vid_1'))
    assert.equal((logged[0] as { job: string }).job, 'vid_1')
  })

  it('are not canceled after the stop, which waits for the running one', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const canceledIds: string[] = []
    let end: () => void = () => undefined
    const { add, stop } = await open(dir, (id) => {
      canceledIds.push(id)
      return new Promise<void>((resolve) => {
        end = resolve
      })
    })
    await add('vid_1')
    await until(() => canceledIds.length === 1)
    let isStopped = false
    const stopping = stop().then(() => {
      isStopped = true
    })
    await new Promise(setImmediate)
    assert.equal(isStopped, false)
    end()
    await stopping
    await add('vid_2')
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(canceledIds, ['vid_1'])
    assert.deepEqual(await readdir(dir), ['vid_2'])
  })

  it('that wait for a retry are not canceled after the stop', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const canceledIds: string[] = []
    const { add, stop } = await open(dir, async (id) => canceledIds.push(id))
    const added = add('vid_1')
    await added
    await stop()
    const before = canceledIds.length
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(canceledIds.length, before)
  })

  it('are readable by the gateway’s user only', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const { add } = await open(dir, () => Promise.reject(new Error('away')))
    await add('vid_1')
    assert.equal((await stat(dir)).mode & 0o777, 0o700)
    assert.equal((await stat(join(dir, 'vid_1'))).mode & 0o777, 0o600)
  })

  it('are searched for again if Redis has not executed the submit yet', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    let checks = 0
    const { add } = await open(dir, async () => {
      checks += 1
      return checks === 1 ? 'absent' : 'asked'
    })
    await add('vid_1')
    await until(async () => (await readdir(dir)).length === 0)
    assert.equal(checks, 2)
  })

  it('are searched for until Redis can no longer store them, five seconds later', async () => {
    const clock = mock.method(performance, 'now', () => 1000)
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const dir = join(await temporaryFolder(cleanup), 'withdrawals')
      let checks = 0
      const { add } = await open(dir, async () => {
        checks += 1
        return 'absent'
      })
      await add('vid_1')
      const checkAt = async (at: number) => {
        clock.mock.mockImplementation(() => at)
        mock.timers.tick(checks === 0 ? 0 : 1000)
        for (let n = 0; n < 20; n += 1) await new Promise(setImmediate)
      }
      await checkAt(1000)
      await checkAt(5999)
      assert.deepEqual([checks, await readdir(dir)], [2, ['vid_1']])
      await checkAt(6000)
      while ((await readdir(dir)).length > 0) await new Promise(setImmediate)
      assert.equal(checks, 3)
    } finally {
      mock.timers.reset()
      clock.mock.restore()
    }
  })

  it('of an earlier process are searched for once', async () => {
    const dir = join(await temporaryFolder(cleanup), 'withdrawals')
    const { add, stop } = await open(dir, () => Promise.reject(new Error('away')))
    await add('vid_1')
    await stop()
    let checks = 0
    await open(dir, async () => {
      checks += 1
      return 'absent'
    })
    await until(async () => (await readdir(dir)).length === 0)
    assert.equal(checks, 1)
  })

  it('are stored before the client gets its reply, unless it can find the job by its idempotency key', async () => {
    const events: string[] = []
    const engine = createEngine({
      store: { create: () => Promise.reject(new Error('Connection is closed.')) } as never,
      queues: {} as never,
      watchers: {} as never,
      longestJobSeconds: 60,
      withdraw: async (id) => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        events.push(`noted ${id}`)
      },
    })
    const submit = async (id: string, idempotencyKey?: { key: string; fingerprint: string }) => {
      const accepted = engine.create({
        id,
        owner: 'ann',
        model: 'any',
        input: {},
        route: ['fal'],
        deadlineSeconds: 60,
        costUsd: 0,
        sandbox: false,
        ...(idempotencyKey && { idempotencyKey }),
      })
      await assert.rejects(accepted)
      events.push(`answered ${id}`)
    }
    await submit('a')
    await submit('b', { key: 'k', fingerprint: 'f' })
    assert.deepEqual(events, ['noted a', 'answered a', 'answered b'])
  })
})
