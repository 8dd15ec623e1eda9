import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import {
  createCleanup,
  startRedis,
  startUpstreams,
  submit,
  temporaryFolder,
  waitForEnd,
  waitForStage,
} from './setup.ts'

describe('kill -9 of the gateway while a job renders', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('completes after the next start, with one upstream submission in all', async () => {
    const { redis } = await startRedis(cleanup)
    const upstreams = await startUpstreams(cleanup, redis, 2500)
    const env = { ...upstreams.env, DATA_DIR: await temporaryFolder(cleanup) }

    const first = await startProcess(env)
    const { body } = await submit(first.address, { model: 'veo3-video', prompt: 'a boat', duration: '8' })
    await waitForStage(first.address, body.runId, /^(queued|processing)$/)
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')

    const second = await startProcess(env)
    cleanup.add(() => stopProcess(second.child))
    const end = await waitForEnd(second.address, body.runId)
    assert.equal(end.data.status, 'COMPLETED')
    assert.equal((await upstreams.host.tasks('fal')).length, 1)
  })
})

async function startProcess(env: Record<string, string>): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /answers on (\S+)/.exec(line)?.[1]
    if (address !== undefined) return { child, address }
  }
  throw new Error('the gateway did not start')
}

async function stopProcess(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}
