import assert from 'node:assert/strict'
import type { Cleanup } from '../support/setup.ts'
import { freePort, startServer } from './cluster.ts'
import { waitUntil } from './jobs.ts'
import { startProxy } from './redis-proxy.ts'

/** A server that others can replicate; `of` is the port of its own primary. */
export async function startReplicated(cleanup: Cleanup, of?: number) {
  const port = await freePort()
  const server = await startServer(cleanup, [
    ...['--port', String(port), '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0'],
    ...(of === undefined ? [] : ['--replicaof', '127.0.0.1', String(of)]),
  ])
  const linked = async () => (await server.redis.info('replication')).includes('master_link_status:up')
  if (of !== undefined) assert.ok(await waitUntil(linked, { everyMs: 20 }), 'the replica does not sync')
  return { ...server, port }
}

/**
 * A primary with one replica, behind one address that leads to whichever is the primary. The replica receives every write `delayMs` late; what is on
 * its way when the primary dies is lost.
 */
export async function startPair(cleanup: Cleanup, { delayMs = 0 } = {}) {
  const primary = await startReplicated(cleanup)
  const link = await startProxy(cleanup, { port: primary.port }, { delayMs })
  const replica = await startReplicated(cleanup, link.port)
  const entrance = await startProxy(cleanup, { path: primary.path })
  return {
    url: `redis://127.0.0.1:${entrance.port}`,
    primary,
    replica,
    /** The one address. */
    entrance,
    /** The replica has everything written so far, and nothing later. */
    async cutReplication(): Promise<void> {
      await primary.redis.set('replicated', '1')
      assert.equal(await primary.redis.wait(1, 10_000), 1)
      link.disconnect()
    },
    async failOver(): Promise<void> {
      await primary.kill()
      await replica.redis.replicaof('NO', 'ONE')
      entrance.leadTo({ path: replica.path })
    },
  }
}
