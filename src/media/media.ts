import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { storedInputName } from '../catalogue/media-values/stored-reference.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import type { S3Settings } from '../config/storage-settings.ts'
import { createSafeFetch } from '../net/safe-fetch.ts'
import type { Keys } from '../redis/keys.ts'
import type { SandboxConnection, Transport } from '../upstreams/transport.ts'
import { createInputLinks, readOrCreateLinkSecret } from './inputs/input-links.ts'
import { createInputUses } from './inputs/input-uses.ts'
import { createLibrary } from './inputs/library.ts'
import type { MediaLimits } from './inputs/media-limits.ts'
import { createQuota } from './inputs/quota.ts'
import { createInputStorer } from './inputs/store-input.ts'
import { createUploadBuffer } from './inputs/upload-buffer.ts'
import { createInputUploader } from './inputs/upload-inputs.ts'
import { createDownloader, type DownloadLimits } from './results/download.ts'
import { createDownloadSlots } from './results/download-slots.ts'
import { createResults } from './results/results.ts'
import { createSandboxFetch } from './results/sandbox-fetch.ts'
import type { ServedFile } from './results/served-file.ts'
import { createThumbnails } from './results/thumbnails.ts'
import { createRetention, inputRetentionMs } from './retention.ts'
import { createDiskStore } from './storage/disk.ts'
import { createStorageProbe, withProbe } from './storage/probe.ts'
import { createS3Store } from './storage/s3.ts'
import { createTempDir } from './storage/temp-dir.ts'

export type MediaConfig = {
  dataDir: string
  publicUrl: string | undefined
  sandbox: boolean
  /** Absent: files lie on disk. */
  s3: S3Settings | undefined
  results: 'store' | 'link'
  resultsKeptMs: number
  libraryKeptMs: number
  mediaLimits: MediaLimits
  /** How much one key may store. */
  quotaBytes: number
  downloads: DownloadLimits & { total: number; perHost: number }
  storage: {
    probeMs: number
    /** Less free disk space than this counts as none; 0: nothing is checked. */
    floorBytes: number
  }
  ffmpeg: string
  /** How many steps of one upstream run at once; a quarter of them may upload. */
  concurrency: number
}

export type GatewayMedia = Awaited<ReturnType<typeof createMedia>>

type Deps = {
  config: MediaConfig
  redis: Redis
  keys: Keys
  transport: Transport
  /** The real ones. */
  upstreams: Readonly<Record<string, ProviderConfig>>
  /** The mock upstreams of this process; absent: it has none. */
  sandbox?: SandboxConnection
  logger: Logger
}

/** Everything about files: what callers send, what upstreams are given, what they make. */
export async function createMedia({ config, redis, keys, transport, upstreams, sandbox, logger }: Deps) {
  await mkdir(config.dataDir, { recursive: true })
  const fileStore =
    config.s3 === undefined ? createDiskStore(join(config.dataDir, 'files')) : createS3Store(config.s3)
  const tempDir = await createTempDir(join(config.dataDir, 'scratch'))
  const probe = createStorageProbe({
    store: fileStore,
    tempDir,
    dataDir: config.dataDir,
    floorBytes: config.storage.floorBytes,
    everyMs: config.storage.probeMs,
    logger,
  })
  const store = withProbe(fileStore, probe)
  const inputLinks = createInputLinks(await readOrCreateLinkSecret(redis, keys))
  const safeFetch = createSafeFetch({ trustedUrls: baseUrlsOf(upstreams) })
  const sandboxFetch = createSandboxFetch(sandbox)
  const limits = config.mediaLimits
  const uploadBuffer = createUploadBuffer({ tempDir, limits })
  const quota = createQuota({ redis, keys, quotaBytes: config.quotaBytes })
  const inputUses = createInputUses({ redis, keys, keepMs: 2 * inputRetentionMs })
  const library = createLibrary({
    redis,
    keys,
    store,
    tempDir,
    limits,
    quota,
    keepMs: config.libraryKeptMs,
  })
  const download = createDownloader({ safeFetch, tempDir, ...config.downloads })
  const results = createResults({
    store,
    redis,
    keys,
    tempDir,
    probe,
    slots: createDownloadSlots(config.downloads),
    download: config.results === 'link' ? undefined : download,
    downloadFromSandbox: createDownloader({ safeFetch: sandboxFetch, tempDir, ...config.downloads }),
    keepMs: config.resultsKeptMs,
  })
  const thumbnails = createThumbnails({ store, tempDir, ffmpeg: config.ffmpeg })
  const retention = createRetention({
    store,
    tempDir,
    results,
    library,
    resultsKeptMs: config.resultsKeptMs,
    logger,
  })

  let ownAddress: string | undefined
  // Mock upstreams are on this machine.
  const publicUrlFor = ({ sandbox }: ProviderConfig) =>
    config.publicUrl ?? (config.sandbox || sandbox === true ? ownAddress : undefined)

  async function findInput(token: string): Promise<ServedFile | 'gone' | undefined> {
    const file = inputLinks.readToken(token)
    if (file === undefined) return undefined
    const stored = file === 'expired' ? undefined : await store.stat(storedInputName(file))
    if (file === 'expired' || stored === undefined) return 'gone'
    return {
      ...stored,
      contentType: file.contentType,
      open: (range) => store.open(storedInputName(file), range),
    }
  }

  async function removeVideo(name: string): Promise<void> {
    await results.remove(name)
    await thumbnails.remove(name)
  }

  return {
    storeInput: createInputStorer({ store, tempDir, uploadBuffer, library, limits, inputUses, quota }),
    inputUploader: createInputUploader({
      store,
      transport,
      links: inputLinks,
      publicUrl: publicUrlFor,
      maxConcurrentUploads: Math.max(1, Math.floor(config.concurrency / 4)),
    }),
    /** Whether upstreams can fetch files from us. */
    hasPublicUrl: config.publicUrl !== undefined || config.sandbox,
    deliver: results.deliver,
    secondsOf: results.readVideoSeconds,
    uploadBuffer,
    library,
    files: {
      video: results.findVideo,
      createThumbnail: thumbnails.findOrCreate,
      findThumbnail: thumbnails.find,
      input: findInput,
      fetchExternal: safeFetch.fetch,
      remove: removeVideo,
    },
    retention,
    storage: {
      start: probe.start,
      stop: probe.stop,
      /** Why results could not be kept at the moment. */
      fault: () => (config.results === 'link' ? undefined : probe.fault()),
      requireSpace: probe.requireSpace,
    },
    setOwnAddress(url: string): void {
      ownAddress = url
    },
    async close(): Promise<void> {
      store.close()
      await Promise.all([safeFetch.close(), sandboxFetch.close()])
    },
  }
}

/** Where the operator's upstreams are; their addresses are trusted whatever they are. */
function baseUrlsOf(upstreams: Deps['upstreams']): string[] {
  return Object.values(upstreams).flatMap(({ baseUrls }) =>
    Object.values(baseUrls).filter((url) => url !== undefined),
  )
}
