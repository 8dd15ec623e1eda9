import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, describe, it } from 'node:test'
import { spawnGateway } from '../support/gateway-process.ts'
import { createCleanup, startRedis, temporaryFolder } from '../support/setup.ts'

describe('the output of the gateway process', { timeout: 60_000 }, () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('is one JSON object per line in production, from start to stop', async () => {
    const { url } = await startRedis(cleanup)
    const dataDir = await temporaryFolder(cleanup)
    const settings = { NODE_ENV: 'production', LOG_LEVEL: 'info', REDIS_URL: url, DATA_DIR: dataDir }
    const { child, written, output } = spawnGateway({ ...settings, SANDBOX: 'on' })
    cleanup.add(() => child.kill('SIGKILL'))
    const address = () => /Listening on ([^"]+)/.exec(written.join('\n'))?.[1]
    while (address() === undefined) await once(output, 'line')
    await fetch(`${address()}/health`)
    child.kill('SIGTERM')
    await once(child, 'close')
    const lines = written.map((line) => JSON.parse(line) as Record<string, unknown>)
    const listening = lines.filter(({ msg }) => String(msg).startsWith('Listening on http://'))
    assert.equal(listening.length, 1)
    const { msg, signal, durationMs } = lines.at(-1) ?? {}
    assert.deepEqual([msg, signal, typeof durationMs], ['Stopped', 'SIGTERM', 'number'])
  })
})
