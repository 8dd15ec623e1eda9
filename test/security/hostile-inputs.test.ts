import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { providers } from '../../providers/index.ts'
import { readConfig } from '../../src/config/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { clientOf, operatorKey } from '../accounts/test-accounts.ts'
import { png } from '../media/files.ts'
import { createCleanup, startRedis, temporaryFolder } from '../support/setup.ts'
import { hostileInputs, validInputs } from './hostile-inputs/index.ts'
import type { HostileInput } from './hostile-inputs/input.ts'

type Reply = { status: number | 'closed'; headers: string; body: string }

/** What a refused request may change: counters of rate limits, and what the workers do at any time. */
const volatile = /^reelgate:(limit:|bull:|sweep$|epoch$|barrier$|worker|presence|clock)/

/** Also in links, so that it is seen whether they are logged. */
const hidden = 'hidden-s3cret'

describe('hostile inputs', () => {
  const cleanup = createCleanup()
  const lines: string[] = []
  const own: Record<string, string> = {}
  let redis: Redis
  let dataDir: string
  let port: number

  before(async () => {
    const server = await startRedis(cleanup)
    redis = server.redis
    dataDir = await temporaryFolder(cleanup)
    const env = {
      PORT: '0',
      DATA_DIR: dataDir,
      REDIS_URL: server.url,
      ADMIN_KEY: operatorKey,
      WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'off',
      SANDBOX_RENDER_SECONDS: '0',
      LIBRARY_RPM: '10000',
      SUBMIT_RPM: '10000',
      EXTEND_RPM: '10000',
      RECOVER_RPM: '10000',
      DISK_FREE_FLOOR_MB: '0',
    }
    const write = (line: string) => lines.push(line)
    const gateway = await startGateway(
      readConfig(env, Object.values(providers)),
      createLogger({ level: 'info' }, { write }),
    )
    cleanup.add(() => gateway.stop())
    port = Number(new URL(gateway.address).port)

    const operator = clientOf(gateway.address, operatorKey)
    const { body } = await operator.request('POST', '/api/admin/keys', { name: 'a caller' })
    Object.assign(own, { account: body.id, key: body.key })
    const caller = clientOf(gateway.address, own.key)
    const submit = { model: 'minimax-video', prompt: 'a paper boat' }
    const first = await caller.request('POST', '/api/generate-video', submit, {
      'idempotency-key': 'used-before',
    })
    own.job = first.body.runId
    assert.equal((await caller.waitForEnd(own.job)).stage, 'succeeded')
    const form = new FormData()
    form.append('file', new Blob([png()]), 'a.png')
    const added = await fetch(`${gateway.address}/api/library`, {
      method: 'POST',
      headers: { 'x-api-key': own.key ?? '' },
      body: form,
    })
    own.attachment = ((await added.json()) as { id: string }).id
  })
  after(() => cleanup.run())

  function insert(text: string): string {
    return text.replace(/\{(job|attachment|account|key)\}/g, (_, name: string) => own[name] ?? '')
  }

  function bytesOf({
    as = 'caller',
    method = 'POST',
    path = '/api/generate-video',
    ...input
  }: HostileInput): Buffer {
    const { raw, headers = {} } = input
    if (raw !== undefined) return Buffer.from(insert(raw.toString('latin1')), 'latin1')
    const body = Buffer.isBuffer(input.body) ? input.body : Buffer.from(insert(input.body ?? ''))
    const key = as === 'caller' ? own.key : as === 'operator' ? operatorKey : undefined
    const sent = {
      host: 'gateway',
      connection: 'close',
      ...(key !== undefined && { 'x-api-key': key }),
      ...(method !== 'GET' && { 'content-type': 'application/json', 'content-length': String(body.length) }),
      ...headers,
    }
    const head = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`)
    return Buffer.concat([
      Buffer.from(`${method} ${insert(path)} HTTP/1.1\r\n${head.join('')}\r\n`, 'latin1'),
      body,
    ])
  }

  async function send(input: HostileInput): Promise<Reply> {
    const socket = connect(port, '127.0.0.1')
    const pieces: Buffer[] = []
    socket.on('data', (piece) => pieces.push(piece))
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.write(bytesOf(input))
    if (input.status === 'closed') {
      await sleep(10)
      socket.destroy()
    } else if (/ early$/.test(input.name)) socket.end()
    const timer = setTimeout(() => socket.destroy(), 5000)
    // Node replies to invalid HTTP on a connection that stays open for the rest of the request.
    socket.on('data', () => isComplete(Buffer.concat(pieces)) && socket.destroy())
    await closed
    clearTimeout(timer)
    return readReply(Buffer.concat(pieces))
  }

  /** Everything that is stored: keys of Redis with their values, and files. */
  async function stored(): Promise<Set<string>> {
    const keys = (await redis.keys('*')).filter((key) => !volatile.test(key))
    const values = await Promise.all(keys.map(async (key) => `${key} ${await contentOf(redis, key)}`))
    const files = await readdir(dataDir, { recursive: true, withFileTypes: true })
    return new Set([...values, ...files.filter((entry) => entry.isFile()).map(({ name }) => name)])
  }

  /** Waits a moment for what is removed after the reply. */
  async function addedTo(storedBefore: ReadonlySet<string>): Promise<string[]> {
    for (let tries = 0; ; tries += 1) {
      const now = await stored()
      const changed = [...now]
        .filter((entry) => !storedBefore.has(entry))
        .concat([...storedBefore].filter((entry) => !now.has(entry)))
      if (changed.length === 0 || tries === 40) return changed.map((entry) => entry.replace(/ .*/s, ''))
      await sleep(5)
    }
  }

  function secretsIn(text: string): string[] {
    return [own.key ?? '', operatorKey, hidden].filter((secret) => text.includes(secret))
  }

  async function problemsOf(input: HostileInput, storedBefore: ReadonlySet<string>): Promise<string[]> {
    lines.length = 0
    const reply = await send(input)
    const problems = [...differencesOf(input, reply)]
    const added = await addedTo(storedBefore)
    if (added.length > 0) problems.push(`left behind: ${added.join(', ')}`)
    const logged = lines.join('')
    const revealed = [...secretsIn(logged), ...secretsIn(reply.body)]
    if (revealed.length > 0) problems.push(`revealed: ${revealed}`)
    if (lines.length > 1 || /"stack"/.test(logged)) problems.push(`logged: ${logged.slice(0, 500)}`)
    const health = await send({
      name: 'health',
      method: 'GET',
      path: '/health',
      as: 'anonymous',
      status: 200,
    })
    if (health.status !== 200) problems.push('the gateway does not reply')
    return problems
  }

  for (const [group, inputs] of Object.entries(hostileInputs)) {
    it(`${group}: ${inputs.length} are rejected, and leave nothing`, async () => {
      let storedBefore = await stored()
      const wrong: string[] = []
      for (const input of inputs) {
        const problems = await problemsOf(input, storedBefore)
        if (problems.length === 0) continue
        wrong.push(`${input.name}: ${problems.join('; ')}`)
        storedBefore = await stored()
      }
      assert.deepEqual(wrong, [])
    })
  }

  for (const [group, inputs] of Object.entries(validInputs)) {
    it(`${group}: ${inputs.length} that look hostile are accepted`, async () => {
      const wrong: string[] = []
      for (const input of inputs) {
        lines.length = 0
        const { status, body } = await send(input)
        if (status !== input.status) wrong.push(`${input.name}: ${status} ${body.slice(0, 300)}`)
        if (secretsIn(lines.join('')).length > 0) wrong.push(`${input.name}: a secret is logged`)
      }
      assert.deepEqual(wrong, [])
    })
  }

  it('are at least 150, each with a unique name', () => {
    const all = [hostileInputs, validInputs].flatMap((groups) => Object.entries(groups))
    const names = all.flatMap(([group, inputs]) => inputs.map(({ name }) => `${group}: ${name}`))
    assert.ok(names.length >= 150)
    assert.equal(new Set(names).size, names.length)
  })
})

/** The content of a key, in an order that only its content decides. */
async function contentOf(redis: Redis, key: string): Promise<string> {
  const readers: Readonly<Record<string, () => Promise<unknown>>> = {
    string: () => redis.get(key),
    hash: async () => Object.entries(await redis.hgetall(key)).sort(),
    zset: () => redis.zrange(key, '0', '-1', 'WITHSCORES'),
    set: async () => (await redis.smembers(key)).sort(),
    list: () => redis.lrange(key, 0, -1),
    stream: () => redis.xrange(key, '-', '+'),
  }
  const read = readers[await redis.type(key)]
  return JSON.stringify(await read?.())
}

function isComplete(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end === -1 || /^HTTP\/1\.1 1/.test(text)) return false
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1]
  return length !== undefined && text.length >= end + 4 + Number(length)
}

function readReply(bytes: Buffer): Reply {
  const text = bytes.toString('utf8').replace(/^HTTP\/1\.1 1\d\d .*?\r\n\r\n/s, '')
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]
  const [headers = '', ...rest] = text.split('\r\n\r\n')
  return { status: status === undefined ? 'closed' : Number(status), headers, body: rest.join('\r\n\r\n') }
}

function parse(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** How a reply differs from the expected one, and from the error body of every route. */
function differencesOf({ path = '', status, code, param }: HostileInput, reply: Reply): string[] {
  if (reply.status !== status) return [`${reply.status} instead of ${status}: ${reply.body.slice(0, 300)}`]
  if (status === 'closed') return []
  if (!/^content-type: application\/json/im.test(reply.headers)) return [`not JSON: ${reply.headers}`]
  const body = parse(reply.body)
  const { message, type } = body.error ?? {}
  const files = { code: body.error?.code, param: body.error?.param }
  const wrong: string[] = []
  const isWhole =
    typeof message === 'string' && message !== '' && typeof type === 'string' && 'param' in body.error
  const isOpenai = /\/v1\/videos/.test(path)
  const hasBoth = body.message === message && body.code === files.code && body.status === status
  if (!isWhole || !(isOpenai || hasBoth)) wrong.push(`another error body: ${reply.body.slice(0, 300)}`)
  if (code !== undefined && files.code !== code) wrong.push(`${files.code} instead of ${code}: ${message}`)
  if (param !== undefined && files.param !== param)
    wrong.push(`param ${files.param} instead of ${param}: ${message}`)
  if (message?.length > 2000) wrong.push(`a message of ${message.length} characters`)
  return wrong
}
