import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { checkServer } from '../../src/redis/check.ts'
import { startEmbedded } from '../../src/redis/embedded.ts'

const timeout = 60_000

test('what a real Redis risks is told: nothing at first, then its eviction and its missing journal', {
  timeout,
}, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'reelgate-check-'))
  const embedded = await startEmbedded({ dataDir, logger: pino({ level: 'silent' }), production: true })
  const client = new Redis({ path: embedded.path })
  t.after(async () => {
    client.disconnect()
    await embedded.stop()
    await rm(dataDir, { recursive: true })
  })
  assert.deepEqual(await warnings(client, true), [])

  await client.config('SET', 'appendonly', 'no', 'maxmemory-policy', 'allkeys-lru')
  const [eviction, journal, ...more] = await warnings(client, false)
  assert.match(String(eviction), /allkeys-lru.*Set noeviction/)
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

test('a managed Redis that tells little is used, with a warning for each thing not told', async () => {
  const told = await warnings(answering({}), true)
  assert.match(told.join('\n'), /its version.*\n.*maxmemory-policy.*\n.*append-only/)
})

function answering(fields: Record<string, string>): Pick<Redis, 'info'> {
  const text = Object.entries(fields).map(([name, value]) => `${name}:${value}`)
  return { info: async () => ['# Server', ...text, ''].join('\r\n') }
}

async function warnings(client: Pick<Redis, 'info'>, production: boolean): Promise<string[]> {
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line).msg) })
  await checkServer(client, { production, logger })
  return lines
}
