import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import S3rver from 's3rver'
import type { S3Settings } from '../../src/config/storage-settings.ts'
import { createMedia, type GatewayMedia, type MediaConfig } from '../../src/media/media.ts'
import { createDiskStore } from '../../src/media/storage/disk.ts'
import type { FileStore } from '../../src/media/storage/file-store.ts'
import { createS3Store } from '../../src/media/storage/s3.ts'
import { createKeys, type Keys } from '../../src/redis/keys.ts'
import { createTransport } from '../../src/upstreams/transport.ts'
import { startGateway, twoPeople } from '../api/gateway.ts'
import type { MemoryEngine } from '../api/memory-engine.ts'
import { type Cleanup, createCleanup, quiet, temporaryFolder } from '../support/setup.ts'

export const megabyte = 1024 * 1024

/** A bucket on a local server with the real protocol. */
export async function startBucket(cleanup: Cleanup): Promise<S3Settings> {
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: await temporaryFolder(cleanup),
    configureBuckets: [{ name: 'media' }],
  })
  const { port } = await server.run()
  cleanup.add(() => server.close())
  return {
    bucket: 'media',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    forcePathStyle: true,
    timeoutMs: 2000,
  }
}

/** Each kind of store, by the name a test gives it. */
export const stores = ['disk', 's3'] as const
export type StoreName = (typeof stores)[number]

export type MediaSetup = {
  address: string
  app: FastifyInstance
  engine: MemoryEngine
  media: GatewayMedia
  store: FileStore
  dataDir: string
  keys: Keys
}

type Changes = Partial<MediaConfig> & { redis: Redis; trusted?: readonly string[] }

/** The HTTP API with real files; jobs are in memory. Alice and Bobby have keys. */
export async function startMediaGateway(
  t: TestContext,
  name: StoreName,
  { redis, trusted = [], ...changes }: Changes,
): Promise<MediaSetup> {
  const cleanup = createCleanup()
  const dataDir = await temporaryFolder(cleanup)
  const s3 = name === 's3' ? await startBucket(cleanup) : undefined
  const store = s3 === undefined ? createDiskStore(join(dataDir, 'files')) : createS3Store(s3)
  const transport = createTransport({ timeoutMs: 2000 })
  const config: MediaConfig = {
    dataDir,
    s3,
    publicUrl: undefined,
    sandbox: false,
    results: 'store',
    resultsKeptMs: 60_000,
    libraryKeptMs: 60_000,
    mediaLimits: { image: 2 * megabyte, video: 4 * megabyte, audio: megabyte },
    concurrency: 200,
    quotaBytes: 1024 * megabyte,
    downloads: { largestBytes: 64 * megabyte, bytesPerSecond: 1024, windowMs: 2000, total: 20, perHost: 10 },
    storage: { probeMs: 1000, floorBytes: 0 },
    ffmpeg: 'ffmpeg',
    ...changes,
  }
  const keys = createKeys(`${dataDir}:`)
  const upstreams = {
    test: { baseUrls: Object.fromEntries(trusted.entries()), credentials: {}, settings: {} },
  }
  const media = await createMedia({ config, redis, keys, transport, upstreams, logger: quiet })
  const { app, engine } = await startGateway(t, {
    config: { bodyLimitBytes: 8 * megabyte },
    authenticator: twoPeople,
    media,
    uploadBuffer: media.uploadBuffer,
    library: media.library,
    files: media.files,
    storage: media.storage,
  })
  cleanup.add(() => transport.close())
  cleanup.add(() => store.close())
  cleanup.add(() => media.close())
  t.after(() => cleanup.run())
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  return { address, app, engine, media, store, dataDir, keys }
}

export async function namesIn(store: FileStore, folder: string): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of store.list(folder)) names.push(name)
  return names
}
