import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCleanup, startUpstreams, submit, waitForEnd } from '../setup.ts'
import { endsOf, startNode, startServer } from './cluster.ts'
import { report } from './report.ts'

const small = { model: 'kling-video', prompt: 'a boat' }

describe('Redis goes away', () => {
  const cleanup = createCleanup()
  let server: Awaited<ReturnType<typeof startServer>>
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let address: string

  before(async () => {
    const own = await startServer(cleanup)
    upstreams = await startUpstreams(cleanup, own.redis, 1000)
    server = await startServer(cleanup)
    const env = {
      ...upstreams.env,
      REDIS_URL: server.path,
      DATA_DIR: server.dir,
      POLL_MAX_MS: '200',
      SUBMIT_RPM: '100000',
    }
    const nodes = await Promise.all([
      startNode({ ...env, ROLE: 'api' }),
      startNode({ ...env, ROLE: 'worker' }),
      startNode({ ...env, ROLE: 'worker' }),
    ])
    address = nodes[0].address
    cleanup.add(() => Promise.all(nodes.map((node) => node.stop())))
  })
  after(() => cleanup.run())

  async function submitMany(count: number, pauseMs = 5): Promise<{ ids: string[]; refused: Set<number> }> {
    const refused = new Set<number>()
    const ids: string[] = []
    for (let made = 0; made < count; made++) {
      const answer = await submit(address, small)
      if (answer.status === 202) ids.push(answer.body.runId)
      else refused.add(answer.status)
      await sleep(pauseMs)
    }
    return { ids, refused }
  }

  async function check(suite: string, ids: readonly string[], before: number): Promise<void> {
    const ends = await Promise.all(ids.map((id) => waitForEnd(address, id)))
    const counts = await Promise.all(ids.map((id) => endsOf(server.redis, id)))
    const tasks = (await upstreams.host.tasks('fal')).length - before
    report({
      suite,
      faults: 1,
      jobs: ids.length,
      lost: ids.length - ends.length,
      most: tasks > ids.length ? 2 : 1,
      doubleEnds: counts.filter((count) => count !== 1).length,
    })
    assert.ok(tasks <= ids.length, `${tasks} submissions for ${ids.length} jobs`)
    assert.deepEqual(
      counts.filter((count) => count !== 1),
      [],
    )
  }

  it('killed and started again under load: what was accepted ends, what was not got 503', async () => {
    const before = (await upstreams.host.tasks('fal')).length
    const load = submitMany(120, 25)
    await sleep(300)
    await server.kill()
    await sleep(1000)
    await server.start()
    const { ids, refused } = await load
    assert.ok(ids.length > 20)
    assert.deepEqual(
      [...refused].filter((status) => status !== 503),
      [],
    )
    await check('Redis killed under load', ids, before)
  })

  it('unreachable: submits are refused, and none of them is bought when Redis is back', async () => {
    const before = (await upstreams.host.tasks('fal')).length
    const { ids } = await submitMany(20)
    server.freeze()
    const answers = await Promise.all(Array.from({ length: 10 }, () => submit(address, small)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [503])
    await sleep(Number(process.env.UNREACHABLE_MS ?? 30_000))
    server.thaw()
    await check('Redis unreachable for 30 s', ids, before)
  })

  it('away for longer: submits are refused at once, everything goes on by itself', async () => {
    const before = (await upstreams.host.tasks('fal')).length
    const { ids } = await submitMany(20)
    await server.kill()
    const answer = await submit(address, small)
    assert.equal(answer.status, 503)
    await sleep(Number(process.env.OUTAGE_MS ?? 8000))
    await server.start()
    await check('Redis away', ids, before)
  })

  it('out of memory: submits are refused, accepted jobs end when there is room again', async () => {
    const before = (await upstreams.host.tasks('fal')).length
    const { ids } = await submitMany(10)
    await server.redis.config('SET', 'maxmemory', '1mb')
    const answer = await submit(address, small)
    assert.equal(answer.status, 503)
    await sleep(1000)
    await server.redis.config('SET', 'maxmemory', '0')
    await check('Redis out of memory', ids, before)
  })
})
