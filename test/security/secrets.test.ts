import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { providers } from '../../providers/index.ts'
import { cheapJob, operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { startProcess, stopProcess } from '../support/gateway-process.ts'
import { createCleanup } from '../support/setup.ts'

const credentialNames = new Set(
  Object.values(providers).flatMap(({ hosts }) =>
    Object.values(hosts).flatMap(({ credentials }) => credentials),
  ),
)

describe('a full run at the most verbose log level', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  /** Everything that left the gateway. */
  const emitted: { where: string; text: string }[] = []
  const secrets = new Map<string, string>()

  before(async () => {
    const { redis, ledger, upstreams, ...backend } = await startBackend(cleanup)
    const env: Record<string, string> = backend.env
    for (const name of credentialNames) {
      if (env[name] !== undefined) secrets.set(name, `secret-of-${name}`)
    }
    const file = join(env.DATA_DIR ?? '', 'fal-key')
    await writeFile(file, `${secrets.get('FAL_KEY')}\n`)
    const { key, account } = await ledger.createAccount({ name: 'talker', balanceUsd: 20 })
    const { FAL_KEY: _, ...others } = { ...env, ...Object.fromEntries(secrets) }
    secrets.set('API key', key).set('ADMIN_KEY', operatorKey)
    const running = await startProcess({ ...others, FAL_KEY_FILE: file, LOG_LEVEL: 'trace' })
    cleanup.add(() => stopProcess(running, 'SIGKILL'))
    const headers = { 'x-api-key': key, 'content-type': 'application/json' }
    const say = async (path: string, init: RequestInit = {}) => {
      const reply = await fetch(running.address + path, { headers, ...init })
      const text = await reply.text()
      emitted.push({ where: `the reply to ${path}`, text: text + JSON.stringify([...reply.headers]) })
      return text
    }
    const post = (path: string, body: unknown) =>
      say(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

    const injectedFault = { provider: 'fal', operation: 'submit', times: 1 }
    upstreams.host.injectFault({
      ...injectedFault,
      kind: 'status',
      status: 401,
      body: { detail: `bad key ${secrets.get('FAL_KEY')}` },
    })
    const ids: string[] = []
    const prompts = ['a boat', 'a boat', 'sandbox:fail', 'sandbox:refuse', 'sandbox:invalid']
    for (const prompt of prompts) {
      const { runId } = JSON.parse(await post('/api/generate-video', { ...cheapJob, prompt })) as {
        runId: string
      }
      ids.push(runId)
      for (let stage = ''; !/succeeded|failed/.test(stage); ) {
        stage = (JSON.parse(await say(`/api/video/status?requestId=${runId}`)) as { stage: string }).stage
      }
    }
    for (const path of [
      '/api/generate-video/recover',
      '/api/usage',
      '/api/jobs',
      '/v1/videos',
      `/api/jobs/${ids[0]}`,
    ]) {
      await say(path)
    }
    await say(`/api/${key}?api_key=${key}&key=${key}`)
    await say(`/api/video/status?requestId=${key}`)
    await post('/api/generate-video', { model: key, prompt: key })
    await post('/api/generate-video', `{"broken ${key}`)
    await say('/api/check-balance', { method: 'POST', headers: { authorization: `Bearer ${operatorKey}` } })
    await say('/api/admin/keys', { headers: { 'x-api-key': operatorKey } })
    await say(`/api/admin/keys/${account.id}/ledger`, { headers: { 'x-api-key': operatorKey } })
    await say('/hooks/vid_0/wrong', { method: 'POST', body: key })
    await stopProcess(running)

    emitted.push({ where: 'the log', text: running.written.join('\n') })
    for (const name of await redis.keys('reelgate:*')) {
      const dump = await redis.dumpBuffer(name)
      emitted.push({ where: `Redis under ${name}`, text: `${name} ${dump?.toString('latin1')}` })
    }
  })

  it('did everything', () => {
    const log = emitted.find(({ where }) => where === 'the log')?.text ?? ''
    assert.match(log, /"state":"succeeded".*Job finished/)
    assert.match(log, /"state":"failed".*Job finished/)
    assert.match(log, /bad_credentials/)
    assert.match(log, /bad key \[redacted\]/)
    assert.match(log, /"level":20/)
    assert.ok(emitted.filter(({ where }) => where.startsWith('Redis')).length > 10)
    assert.ok(secrets.size > 5, [...secrets.keys()].join())
  })

  it('logged no secret', () => {
    const leaks = emitted.flatMap(({ where, text }) =>
      [...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => `${name} in ${where}`),
    )
    assert.deepEqual(leaks, [])
  })
})
