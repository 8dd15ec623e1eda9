import type { Redis } from 'ioredis'
import type { Keys } from '../../src/redis/keys.ts'
import type { FileStore } from './file-store.ts'
import type { Bug } from './planted-bugs.ts'
import type { QueueServer } from './queue.ts'
import type { RedisServer } from './redis-server.ts'
import type { Upstream } from './upstream.ts'
import type { Received } from './webhooks.ts'
import type { Actor, World } from './world.ts'

/** What all actors of a run share. */
export type Environment = {
  world: World
  redis: Redis
  server: RedisServer
  queue: QueueServer
  keys: Keys
  upstreams: Readonly<Record<string, Upstream>>
  files: FileStore
  /** An owner has received a webhook. */
  received: Received
  /** Jobs at an upstream at once; absent: any number. */
  maxInFlight: Readonly<Record<string, number>>
  /** How long it takes to upload a job's inputs. */
  uploadMs(job: string): number
  /** Whether upstreams can call back. */
  callbacks: boolean
  /** The folder of an actor's journal. */
  journalDir(actor: Actor): string
  /** Whether no purchase begins before replicas have its intent: REDIS_WAIT_REPLICAS. */
  replicas: boolean
  /** Whether a worker may lose its journal. */
  losesDisks: boolean
  /** A bug that the simulator is to find. */
  bug?: Bug
}
