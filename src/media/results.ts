import { createHash } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import type { Redis } from 'ioredis'
import type { Video } from '../../providers/provider.ts'
import { answered } from '../engine/engine.ts'
import type { Keys } from '../engine/keys.ts'
import { typeOf } from './check.ts'
import { isComplete } from './complete.ts'
import { LinkNotReady } from './download.ts'
import { createFinder, type FoundFile } from './found-file.ts'
import { secondsOf } from './seconds.ts'
import type { FileStore } from './store.ts'

export const resultsFolder = 'results'

/** That a video was here once is remembered this long. */
const remembered = 90 * 86_400

export type Results = ReturnType<typeof createResults>

type Parts = {
  store: FileStore
  redis: Redis
  keys: Keys
  /** Absent: clients get the upstream's own links. */
  download: ((url: string, name: string) => Promise<string>) | undefined
  keepMs: number
}

/** Finished videos: fetched once from the upstream, kept in the store, served under names that cannot be guessed. */
export function createResults({ store, redis, keys, download, keepMs }: Parts) {
  const findStored = createFinder(store)

  /** The same name in every try, so that a crash leaves nothing behind that the next try does not replace. */
  const nameOf = (secret: string, index: number) =>
    `${createHash('sha256').update(`${secret}:${index}`).digest('hex').slice(0, 40)}.mp4`

  /** Tries of one file in this process are one try. */
  const underWay = new Map<string, Promise<void>>()

  async function fetchOnce(
    url: string,
    name: string,
    fetchFile: NonNullable<Parts['download']>,
  ): Promise<void> {
    const known = underWay.get(name)
    if (known !== undefined) return known
    const fetching = fetchInto(url, name, fetchFile).finally(() => underWay.delete(name))
    underWay.set(name, fetching)
    return fetching
  }

  async function fetchInto(
    url: string,
    name: string,
    fetchFile: NonNullable<Parts['download']>,
  ): Promise<void> {
    if ((await store.stat(`${resultsFolder}/${name}`)) !== undefined) return
    const path = await fetchFile(url, name)
    const type = await typeOf(path)
    if (type?.startsWith('video/') !== true || !(await isComplete(path))) {
      const { size } = await stat(path)
      await rm(path, { force: true })
      throw new LinkNotReady(
        `the link of the result gave ${size} bytes of ${type ?? 'an unknown type'}, which are no whole video`,
      )
    }
    await store.take(`${resultsFolder}/${name}`, path)
  }

  return {
    /** Answers the links that clients are given. Rejects with `LinkNotReady` or `LinkUseless` when a file cannot be had. */
    async deliver({ secret }: { secret: string }, videos: readonly Video[]): Promise<readonly Video[]> {
      if (download === undefined) return videos
      const names = videos.map((_, index) => nameOf(secret, index))
      await Promise.all(videos.map((video, index) => fetchOnce(video.url, names[index] ?? '', download)))
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
