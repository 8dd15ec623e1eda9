import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { checkRedisServer } from '../../src/redis/check-server.ts'
import { startEmbeddedRedis } from '../../src/redis/embedded.ts'

const timeout = 60_000

test('a real Redis is checked: no warning at first, then for its eviction and its missing append-only file', {
  timeout,
}, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'reelgate-check-'))
  const embedded = await startEmbeddedRedis({ dataDir, logger: pino({ level: 'silent' }), production: true })
  const client = new Redis({ path: embedded.path })
  t.after(async () => {
    client.disconnect()
    await embedded.stop()
    await rm(dataDir, { recursive: true })
  })
  assert.deepEqual(await warnings(client, true), [])

  await client.config('SET', 'appendonly', 'no', 'maxmemory-policy', 'allkeys-lru')
  const [eviction, journal, ...more] = await warnings(client, false)
  assert.match(String(eviction), /allkeys-lru.*Set maxmemory-policy noeviction/)
  assert.match(String(journal), /Set appendonly yes/)
  assert.deepEqual(more, [])
  await assert.rejects(warnings(client, true), /allkeys-lru/)
})

const good = {
  redis_version: '7.2.4',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  cluster_enabled: '0',
}

for (const [name, change, outcome] of [
  ['Redis 6.2 is new enough', { redis_version: '6.2.0' }, undefined],
  ['Redis 10 is newer than 6.2', { redis_version: '10.0.1' }, undefined],
  ['Redis 6.0 is too old', { redis_version: '6.0.16' }, /6\.0\.16 is too old: at least 6\.2/],
  ['a cluster is refused', { cluster_enabled: '1' }, /Redis Cluster/],
] as const) {
  test(name, async () => {
    const checked = warnings(answering({ ...good, ...change }), false)
    if (outcome === undefined) assert.deepEqual(await checked, [])
    else await assert.rejects(checked, outcome)
  })
}

for (const [name, client, settings, warning] of [
  ['synced once a second', answering(good, 'everysec'), { paid: true }, /power cut/],
  ['a server that does not say how it syncs', answering(good), { paid: true }, /power cut/],
  ['synced always', answering(good, 'always'), { paid: true }, undefined],
  ['synced before each purchase', answering(good, 'everysec'), { paid: true, waitAof: true }, undefined],
  ['without real upstreams', answering(good, 'everysec'), { paid: false }, undefined],
  [
    'replicas without WAIT',
    answering({ ...good, connected_slaves: '1' }, 'always'),
    { paid: true },
    /failover/,
  ],
  ['too few replicas', answering(good, 'always'), { paid: true, waitReplicas: 1 }, /nothing is purchased/],
  [
    'replicas that confirm',
    answering({ ...good, connected_slaves: '1' }, 'always'),
    { paid: true, waitReplicas: 1 },
    undefined,
  ],
] as const) {
  test(`a warning that the intent of a purchase can be lost: ${name}`, async () => {
    const logged = await warnings(client, true, settings)
    if (warning === undefined) assert.deepEqual(logged, [])
    else assert.match(logged.join('\n'), warning)
  })
}

test('a warning that an older Redis cannot sync before each purchase', async () => {
  const old = answering({ ...good, redis_version: '7.0.15' })
  await assert.rejects(
    warnings(old, true, { waitAof: true }),
    /REDIS_WAIT_AOF requires Redis 7\.2; this is 7\.0\.15/,
  )
})

test('a managed Redis with hidden settings is used, with a warning for each of them', async () => {
  const messages = await warnings(answering({}), true)
  assert.match(messages.join('\n'), /its version.*\n.*maxmemory-policy.*\n.*append-only/)
})

function answering(fields: Record<string, string>, appendfsync?: string): Pick<Redis, 'info' | 'config'> {
  const text = Object.entries(fields).map(([name, value]) => `${name}:${value}`)
  const config = async () => {
    if (appendfsync === undefined) throw new Error("ERR unknown command 'CONFIG'")
    return ['appendfsync', appendfsync]
  }
  return { info: async () => ['# Server', ...text, ''].join('\r\n'), config: config as Redis['config'] }
}

async function warnings(
  client: Pick<Redis, 'info' | 'config'>,
  production: boolean,
  settings: { paid?: boolean; waitReplicas?: number; waitAof?: boolean } = {},
): Promise<string[]> {
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line).msg) })
  await checkRedisServer(client, { production, logger, ...settings })
  return lines
}
