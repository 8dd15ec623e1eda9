import { createHash } from 'node:crypto'
import { rename, rm, stat, utimes } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { fileTypeFromBuffer } from 'file-type'
import type { Redis } from 'ioredis'
import type { Video } from '../../../providers/provider.ts'
import type { Keys } from '../../redis/keys.ts'
import { detectContentType } from '../formats/check-file.ts'
import { isComplete } from '../formats/complete.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { StorageProbe } from '../storage/probe.ts'
import { StorageUnavailable, wrapStorageErrors } from '../storage/storage-fault.ts'
import type { TempDir } from '../storage/temp-dir.ts'
import { LinkNotReady } from './download.ts'
import { type DownloadSlots, DownloadsBusy } from './download-slots.ts'
import { createStoredVideoFinder, type ServedFile, signatureBytes } from './served-file.ts'
import { readVideoSeconds } from './video-duration.ts'

export const resultsFolder = 'results'

/** That a video was here once is remembered this long. */
const rememberedSeconds = 90 * 86_400

export type Results = ReturnType<typeof createResults>

type Download = (url: string, name: string, signal?: AbortSignal) => Promise<string>

type Deps = {
  store: FileStore
  redis: Redis
  keys: Keys
  tempDir: TempDir
  probe: Pick<StorageProbe, 'confirmedFault' | 'requireSpace'>
  slots: DownloadSlots
  /** Absent: clients get the upstream's own links. */
  download: Download | undefined
  /** For results of mock upstreams, whose links nobody else can open. */
  downloadFromSandbox?: Download
  keepMs: number
}

/** `isRepeated`: an earlier attempt at the same files failed. `sandbox`: a mock upstream rendered them. */
export type DeliverOptions = { signal?: AbortSignal; isRepeated?: boolean; sandbox?: boolean }

type ResultFetch = DeliverOptions & { url: string; name: string; download: Download }

/** Finished videos: fetched once from the upstream, kept in the store, served under names that cannot be guessed. */
export function createResults({
  store,
  redis,
  keys,
  tempDir,
  probe,
  slots,
  download: downloadFromUpstream,
  downloadFromSandbox,
  keepMs,
}: Deps) {
  const findStoredVideo = createStoredVideoFinder(store)

  /** The same name in every try, so that a crash leaves nothing behind that the next try does not replace. */
  const fileNameOf = (secret: string, index: number) =>
    `${createHash('sha256').update(`${secret}:${index}`).digest('hex').slice(0, 40)}.mp4`

  /** Tries of one file in this process are one try. */
  const activeFetches = new Map<string, Promise<void>>()

  async function fetchOnce(task: ResultFetch): Promise<void> {
    const activeFetch = activeFetches.get(task.name)
    if (activeFetch !== undefined) return activeFetch
    const fetching = fetchAndStore(task).finally(() => activeFetches.delete(task.name))
    activeFetches.set(task.name, fetching)
    return fetching
  }

  async function fetchAndStore(task: ResultFetch): Promise<void> {
    const { name } = task
    const storedName = `${resultsFolder}/${name}`
    if (await hasStoredVideo(storedName)) return
    const wholePath = (await findDownloaded(name)) ?? (await downloadWhole(task))
    await storeUnlessCanceled(storedName, wholePath, task.signal)
    for (const leftoverPath of await tempDir.findByName(name)) await rm(leftoverPath, { force: true })
  }

  /** An upload ends with a cancel, but not because the upstream's time is over: it has delivered. */
  async function storeUnlessCanceled(name: string, path: string, signal?: AbortSignal): Promise<void> {
    const uploadAbort = new AbortController()
    const abort = () => {
      if (!(signal?.reason instanceof LinkNotReady)) uploadAbort.abort(signal?.reason)
    }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort)
    try {
      await store.put(name, path, uploadAbort.signal)
    } catch (cause) {
      throw uploadAbort.signal.aborted ? uploadAbort.signal.reason : cause
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Whether an earlier attempt stored the video. A proxy in front of a bucket may report its own page for any name. */
  async function hasStoredVideo(name: string): Promise<boolean> {
    const stored = await store.stat(name)
    if (stored === undefined || stored.bytes === 0) return false
    const firstBytes = await buffer(
      await store.open(name, { start: 0, end: Math.min(stored.bytes, signatureBytes) - 1 }),
    )
    const type = await fileTypeFromBuffer(firstBytes).catch(() => undefined)
    return type?.mime.startsWith('video/') === true
  }

  /** A whole video that an earlier attempt fetched but could not store. */
  async function findDownloaded(name: string): Promise<string | undefined> {
    const [path] = await tempDir.findByName(`${name}.whole`)
    // The sweep removes files that have not been modified for a while.
    if (path !== undefined)
      await wrapStorageErrors('touch a temporary file', utimes(path, new Date(), new Date()))
    return path
  }

  async function downloadWhole({
    url,
    name,
    download,
    signal,
    isRepeated = false,
  }: ResultFetch): Promise<string> {
    const fault = await probe.confirmedFault()
    if (fault !== undefined) throw fault
    await probe.requireSpace()
    const releaseSlot = slots.take(URL.canParse(url) ? new URL(url).host : '', isRepeated)
    try {
      const path = await download(url, name, signal)
      const type = await detectContentType(path)
      if (type?.startsWith('video/') !== true || !(await isComplete(path))) {
        const { size } = await wrapStorageErrors('read a temporary file', stat(path))
        await rm(path, { force: true })
        throw new LinkNotReady(
          `the link of the result gave ${size} bytes of ${type ?? 'an unknown type'}, which are no whole video`,
        )
      }
      const wholePath = tempDir.createPath(`${name}.whole`)
      await wrapStorageErrors('rename a temporary file', rename(path, wholePath))
      return wholePath
    } finally {
      releaseSlot()
    }
  }

  return {
    /**
     * Returns the links for clients. Rejects with `LinkNotReady` or `LinkUseless` when a file cannot be downloaded, with
     * `StorageUnavailable` when it cannot be stored, with `DownloadsBusy` when all download slots are taken.
     */
    async deliver(
      { secret }: { secret: string },
      videos: readonly Video[],
      options: DeliverOptions = {},
    ): Promise<readonly Video[]> {
      const download = options.sandbox === true ? downloadFromSandbox : downloadFromUpstream
      if (download === undefined) return videos
      const names = videos.map((_, index) => fileNameOf(secret, index))
      const fetches = videos.map(({ url }, index) =>
        fetchOnce({ ...options, url, name: names[index] ?? '', download }),
      )
      // No download continues after its step has ended.
      const failures = (await Promise.allSettled(fetches)).filter((outcome) => outcome.status === 'rejected')
      const [worstReason] = failures
        .map((failure): unknown => failure.reason)
        .sort((a, b) => severityRankOf(a) - severityRankOf(b))
      if (failures.length > 0) throw worstReason
      return names.map((name) => ({ url: `/files/${name}` }))
    },

    /** How long a delivered video is; `undefined` where it lies elsewhere or does not tell. */
    async readVideoSeconds({ url }: Video): Promise<number | undefined> {
      const name = `${resultsFolder}/${url.slice(url.lastIndexOf('/') + 1)}`
      const stored = url.startsWith('/files/') ? await store.stat(name) : undefined
      return stored && readVideoSeconds({ bytes: stored.bytes, open: (range) => store.open(name, range) })
    },

    /** `gone`: it was here, and its time is over. */
    async findVideo(name: string): Promise<ServedFile | 'gone' | undefined> {
      const stored = await findStoredVideo(`${resultsFolder}/${name}`)
      if (stored !== undefined) return Date.now() - stored.storedAt > keepMs ? 'gone' : stored
      return (await redis.exists(keys.deletedFile(name))) === 1 ? 'gone' : undefined
    },

    /** Remembers that there was such a file, then removes it. */
    async remove(name: string): Promise<void> {
      await redis.set(keys.deletedFile(name), '1', 'EX', rememberedSeconds)
      await store.remove(`${resultsFolder}/${name}`)
    },
  }
}

/** Of several files that failed, the one decides that can be helped least. */
function severityRankOf(cause: unknown): number {
  if (cause instanceof DownloadsBusy) return 3
  if (cause instanceof LinkNotReady) return 2
  return cause instanceof StorageUnavailable ? 1 : 0
}
