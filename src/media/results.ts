import { createHash } from 'node:crypto'
import { rename, rm, stat, utimes } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { fileTypeFromBuffer } from 'file-type'
import type { Redis } from 'ioredis'
import type { Video } from '../../providers/provider.ts'
import { answered } from '../engine/engine.ts'
import type { Keys } from '../engine/keys.ts'
import { typeOf } from './check.ts'
import { isComplete } from './complete.ts'
import { LinkNotReady } from './download.ts'
import { type DownloadSlots, DownloadsBusy } from './download-slots.ts'
import { createFinder, type FoundFile, headBytes } from './found-file.ts'
import type { StorageProbe } from './probe.ts'
import type { Scratch } from './scratch.ts'
import { secondsOf } from './seconds.ts'
import { StorageUnavailable, storing } from './storage-fault.ts'
import type { FileStore } from './store.ts'

export const resultsFolder = 'results'

/** That a video was here once is remembered this long. */
const remembered = 90 * 86_400

export type Results = ReturnType<typeof createResults>

type Download = (url: string, name: string, signal?: AbortSignal) => Promise<string>

type Deps = {
  store: FileStore
  redis: Redis
  keys: Keys
  scratch: Scratch
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

type Fetch = DeliverOptions & { url: string; name: string; download: Download }

/** Finished videos: fetched once from the upstream, kept in the store, served under names that cannot be guessed. */
export function createResults({
  store,
  redis,
  keys,
  scratch,
  probe,
  slots,
  download: downloadFromUpstream,
  downloadFromSandbox,
  keepMs,
}: Deps) {
  const findStored = createFinder(store)

  /** The same name in every try, so that a crash leaves nothing behind that the next try does not replace. */
  const nameOf = (secret: string, index: number) =>
    `${createHash('sha256').update(`${secret}:${index}`).digest('hex').slice(0, 40)}.mp4`

  /** Tries of one file in this process are one try. */
  const underWay = new Map<string, Promise<void>>()

  async function fetchOnce(fetch: Fetch): Promise<void> {
    const known = underWay.get(fetch.name)
    if (known !== undefined) return known
    const fetching = fetchInto(fetch).finally(() => underWay.delete(fetch.name))
    underWay.set(fetch.name, fetching)
    return fetching
  }

  async function fetchInto(fetch: Fetch): Promise<void> {
    const { name } = fetch
    const stored = `${resultsFolder}/${name}`
    if (await isStored(stored)) return
    const path = (await keptWhole(name)) ?? (await fetchWhole(fetch))
    await storeUnlessCanceled(stored, path, fetch.signal)
    for (const other of await scratch.left(name)) await rm(other, { force: true })
  }

  /** An upload ends with a cancel, but not because the upstream's time is over: it has delivered. */
  async function storeUnlessCanceled(name: string, path: string, signal?: AbortSignal): Promise<void> {
    const canceled = new AbortController()
    const abort = () => {
      if (!(signal?.reason instanceof LinkNotReady)) canceled.abort(signal?.reason)
    }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort)
    try {
      await store.take(name, path, canceled.signal)
    } catch (cause) {
      throw canceled.signal.aborted ? canceled.signal.reason : cause
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Whether an earlier attempt stored the video. A proxy in front of a bucket may report its own page for any name. */
  async function isStored(name: string): Promise<boolean> {
    const found = await store.stat(name)
    if (found === undefined || found.bytes === 0) return false
    const head = await buffer(await store.open(name, { start: 0, end: Math.min(found.bytes, headBytes) - 1 }))
    const type = await fileTypeFromBuffer(head).catch(() => undefined)
    return type?.mime.startsWith('video/') === true
  }

  /** A whole video that an earlier attempt fetched but could not store. */
  async function keptWhole(name: string): Promise<string | undefined> {
    const [path] = await scratch.left(`${name}.whole`)
    // The sweep removes what is not touched for a while.
    if (path !== undefined) await storing('touch a temporary file', utimes(path, new Date(), new Date()))
    return path
  }

  async function fetchWhole({ url, name, download, signal, isRepeated = false }: Fetch): Promise<string> {
    const fault = await probe.confirmedFault()
    if (fault !== undefined) throw fault
    await probe.requireSpace()
    const leave = slots.take(URL.canParse(url) ? new URL(url).host : '', isRepeated)
    try {
      const path = await download(url, name, signal)
      const type = await typeOf(path)
      if (type?.startsWith('video/') !== true || !(await isComplete(path))) {
        const { size } = await storing('read a temporary file', stat(path))
        await rm(path, { force: true })
        throw new LinkNotReady(
          `the link of the result gave ${size} bytes of ${type ?? 'an unknown type'}, which are no whole video`,
        )
      }
      const whole = scratch.path(`${name}.whole`)
      await storing('rename a temporary file', rename(path, whole))
      return whole
    } finally {
      leave()
    }
  }

  return {
    /**
     * Answers the links that clients are given. Rejects with `LinkNotReady` or `LinkUseless` when a file cannot be had, with
     * `StorageUnavailable` when it cannot be kept, with `DownloadsBusy` when it is not its turn.
     */
    async deliver(
      { secret }: { secret: string },
      videos: readonly Video[],
      options: DeliverOptions = {},
    ): Promise<readonly Video[]> {
      const download = options.sandbox === true ? downloadFromSandbox : downloadFromUpstream
      if (download === undefined) return videos
      const names = videos.map((_, index) => nameOf(secret, index))
      const fetches = videos.map(({ url }, index) =>
        fetchOnce({ ...options, url, name: names[index] ?? '', download }),
      )
      // No file goes on behind the back of a step that has ended.
      const failed = (await Promise.allSettled(fetches)).filter((one) => one.status === 'rejected')
      const [reason] = failed.map((one): unknown => one.reason).sort((a, b) => rankOf(a) - rankOf(b))
      if (failed.length > 0) throw reason
      return names.map((name) => ({ url: `/files/${name}` }))
    },

    /** How long a delivered video is; `undefined` where it lies elsewhere or does not tell. */
    async secondsOf({ url }: Video): Promise<number | undefined> {
      const name = `${resultsFolder}/${url.slice(url.lastIndexOf('/') + 1)}`
      const found = url.startsWith('/files/') ? await store.stat(name) : undefined
      return found && secondsOf({ bytes: found.bytes, open: (range) => store.open(name, range) })
    },

    /** `gone`: it was here, and its time is over. */
    async find(name: string): Promise<FoundFile | 'gone' | undefined> {
      const found = await findStored(`${resultsFolder}/${name}`)
      if (found !== undefined) return Date.now() - found.storedAt > keepMs ? 'gone' : found
      return (await answered(redis.exists(keys.gone(name)))) === 1 ? 'gone' : undefined
    },

    /** Remembers that there was such a file, then removes it. */
    async forget(name: string): Promise<void> {
      await redis.set(keys.gone(name), '1', 'EX', remembered)
      await store.remove(`${resultsFolder}/${name}`)
    },
  }
}

/** Of several files that failed, the one decides that can be helped least. */
function rankOf(cause: unknown): number {
  if (cause instanceof DownloadsBusy) return 3
  if (cause instanceof LinkNotReady) return 2
  return cause instanceof StorageUnavailable ? 1 : 0
}
