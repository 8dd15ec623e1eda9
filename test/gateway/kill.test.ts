import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { startProcess, stopProcess } from '../support/gateway-process.ts'
import {
  createCleanup,
  startRedis,
  startUpstreams,
  submit,
  temporaryFolder,
  waitForEnd,
  waitForStage,
} from '../support/setup.ts'

describe('kill -9 of the gateway while a job renders', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('completes after the next start, with one upstream submission in total', async () => {
    const { redis } = await startRedis(cleanup)
    const upstreams = await startUpstreams(cleanup, redis, 2500)
    const env = { ...upstreams.env, DATA_DIR: await temporaryFolder(cleanup) }

    const first = await startProcess(env)
    cleanup.add(() => stopProcess(first, 'SIGKILL'))
    const { body } = await submit(first.address, { model: 'veo3-video', prompt: 'a boat', duration: '8' })
    await waitForStage(first.address, body.runId, /^(queued|processing)$/)
    await stopProcess(first, 'SIGKILL')

    const second = await startProcess(env)
    cleanup.add(() => stopProcess(second))
    const end = await waitForEnd(second.address, body.runId)
    assert.equal(end.data.status, 'COMPLETED')
    assert.equal((await upstreams.host.tasks('fal')).length, 1)
  })
})
