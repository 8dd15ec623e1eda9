import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { buildConnector } from 'undici'
import type { ProviderConfig } from '../config.ts'
import type { Keys } from '../engine/keys.ts'
import type { Transport } from '../engine/transport.ts'
import { withoutSandbox } from '../sandbox/address.ts'
import { createDiskStore } from './disk.ts'
import { createDownload, type DownloadLimits } from './download.ts'
import { createDownloadSlots } from './download-slots.ts'
import type { FoundFile } from './found-file.ts'
import { createGuard } from './guard.ts'
import { createHandOver } from './hand-over.ts'
import { createInputUses } from './input-uses.ts'
import { createKeeper } from './keep.ts'
import { createLibrary } from './library.ts'
import type { Limits } from './limits.ts'
import { createLinks, linkSecret } from './links.ts'
import { createStorageProbe, withProbe } from './probe.ts'
import { createQuota } from './quota.ts'
import { nameOf } from './reference.ts'
import { createResults } from './results.ts'
import { createRetention, inputsKeptMs } from './retention.ts'
import { createS3Store, type S3Settings } from './s3.ts'
import { createSandboxFetch } from './sandbox-fetch.ts'
import { createScratch } from './scratch.ts'
import { createSpool } from './spool.ts'
import { createStills } from './stills.ts'

export type MediaConfig = {
  dataDir: string
  publicUrl: string | undefined
  sandbox: boolean
  /** Absent: files lie on disk. */
  s3: S3Settings | undefined
  results: 'store' | 'link'
  resultsKeptMs: number
  libraryKeptMs: number
  mediaLimits: Limits
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

export type MediaRoom = Awaited<ReturnType<typeof createMedia>>

type Parts = {
  config: MediaConfig
  redis: Redis
  keys: Keys
  transport: Transport
  /** The real ones. */
  upstreams: Readonly<Record<string, ProviderConfig>>
  /** Connects to the mock upstreams of this process; absent: it has none. */
  connectToSandbox?: buildConnector.connector
  logger: Logger
}

/** Everything about files: what callers send, what upstreams are given, what they make. */
export async function createMedia({
  config,
  redis,
  keys,
  transport,
  upstreams,
  connectToSandbox = withoutSandbox,
  logger,
}: Parts) {
  await mkdir(config.dataDir, { recursive: true })
  const files =
    config.s3 === undefined ? createDiskStore(join(config.dataDir, 'files')) : createS3Store(config.s3)
  const scratch = await createScratch(join(config.dataDir, 'scratch'))
  const probe = createStorageProbe({
    store: files,
    scratch,
    dataDir: config.dataDir,
    floorBytes: config.storage.floorBytes,
    everyMs: config.storage.probeMs,
    logger,
  })
  const store = withProbe(files, probe)
  const links = createLinks(await linkSecret(redis, keys))
  const guard = createGuard({ trusted: originsOf(upstreams) })
  const sandboxFetch = createSandboxFetch(connectToSandbox)
  const limits = config.mediaLimits
  const spool = createSpool({ scratch, limits })
  const quota = createQuota({ redis, keys, quotaBytes: config.quotaBytes })
  const uses = createInputUses({ redis, keys, keepMs: 2 * inputsKeptMs })
  const library = createLibrary({
    redis,
    keys,
    store,
    scratch,
    limits,
    quota,
    keepMs: config.libraryKeptMs,
  })
  const download = createDownload({ guard, scratch, ...config.downloads })
  const results = createResults({
    store,
    redis,
    keys,
    scratch,
    probe,
    slots: createDownloadSlots(config.downloads),
    download: config.results === 'link' ? undefined : download,
    downloadFromSandbox: createDownload({ guard: sandboxFetch, scratch, ...config.downloads }),
    keepMs: config.resultsKeptMs,
  })
  const stills = createStills({ store, scratch, ffmpeg: config.ffmpeg })
  const retention = createRetention({
    store,
    scratch,
    results,
    library,
    resultsKeptMs: config.resultsKeptMs,
    logger,
  })

  let ownAddress: string | undefined
  // Mock upstreams are on this machine.
  const publicUrl = ({ sandbox }: ProviderConfig) =>
    config.publicUrl ?? (config.sandbox || sandbox === true ? ownAddress : undefined)

  async function input(token: string): Promise<FoundFile | 'gone' | undefined> {
    const held = links.read(token)
    if (held === undefined) return undefined
    const found = held === 'expired' ? undefined : await store.stat(nameOf(held))
    if (held === 'expired' || found === undefined) return 'gone'
    return { ...found, contentType: held.contentType, open: (range) => store.open(nameOf(held), range) }
  }

  async function forget(name: string): Promise<void> {
    await results.forget(name)
    await stills.forget(name)
  }

  return {
    keep: createKeeper({ store, scratch, spool, library, limits, uses, quota }),
    handOver: createHandOver({
      store,
      transport,
      links,
      publicUrl,
      uploadsAtOnce: Math.max(1, Math.floor(config.concurrency / 4)),
    }),
    /** Whether upstreams can fetch files from us. */
    reachable: config.publicUrl !== undefined || config.sandbox,
    deliver: results.deliver,
    secondsOf: results.secondsOf,
    spool,
    library,
    files: {
      video: results.find,
      still: stills.make,
      picture: stills.find,
      input,
      elsewhere: guard.ask,
      forget,
    },
    retention,
    storage: {
      start: probe.start,
      stop: probe.stop,
      /** Why results could not be kept at the moment. */
      fault: () => (config.results === 'link' ? undefined : probe.fault()),
      requireSpace: probe.requireSpace,
    },
    listensOn(address: string): void {
      ownAddress = address
    },
    async close(): Promise<void> {
      store.close()
      await Promise.all([guard.close(), sandboxFetch.close()])
    },
  }
}

/** Where the operator's upstreams are; their addresses are trusted whatever they are. */
function originsOf(upstreams: Parts['upstreams']): string[] {
  return Object.values(upstreams).flatMap(({ baseUrls }) =>
    Object.values(baseUrls).filter((url) => url !== undefined),
  )
}
