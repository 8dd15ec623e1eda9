import { createHash } from 'node:crypto'
import { copyFile, open, rm, stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Dispatcher } from 'undici'
import { AddressRefused, type SafeFetch } from '../../net/safe-fetch.ts'
import { StorageUnavailable, toStorageUnavailable, wrapStorageErrors } from '../storage/storage-fault.ts'
import type { TempDir } from '../storage/temp-dir.ts'
import { decodersFor, isEncoded } from './content-encoding.ts'
import { watchTransferRate } from './transfer-rate.ts'

/** Thrown where the link cannot be had (yet). */
export class LinkNotReady extends Error {
  override name = 'LinkNotReady'
}

/** Thrown where asking again would not help. */
export class LinkUseless extends Error {
  override name = 'LinkUseless'
}

export type DownloadLimits = {
  largestBytes: number
  /** A download that is slower than this over a whole window is cut, and resumed later. */
  bytesPerSecond: number
  windowMs: number
}

type Deps = DownloadLimits & { safeFetch: SafeFetch; tempDir: TempDir }

/**
 * Downloads a link to a temporary file and returns its path. Continues an earlier partial download if the upstream supports ranges and
 * its file is unchanged. Each attempt writes its own file, so that two at the same time do no harm. Rejects with `LinkNotReady` or
 * `LinkUseless` for faults of the upstream, with `StorageUnavailable` for faults of the disk.
 */
export function createDownloader({ safeFetch, tempDir, largestBytes, bytesPerSecond, windowMs }: Deps) {
  return async (url: string, name: string, callerSignal?: AbortSignal): Promise<string> => {
    const stallAbort = new AbortController()
    const signal =
      callerSignal === undefined ? stallAbort.signal : AbortSignal.any([stallAbort.signal, callerSignal])
    const onStall = (message: string) => stallAbort.abort(new LinkNotReady(message))
    const progress = watchTransferRate({ bytesPerSecond, windowMs, onStall })
    try {
      return await fetchFile()
    } catch (cause) {
      // The signal's reason says why it was aborted; undici's error does not.
      throw signal.aborted && !(cause instanceof StorageUnavailable) ? signal.reason : toLinkError(cause)
    } finally {
      progress.stop()
    }

    async function fetchFile(): Promise<string> {
      const partialPaths = await tempDir.findByName(name)
      const partial = await findLongest(partialPaths)
      const { response, startByte } = await requestFrom(partial)
      const path = tempDir.createPath(`${name}.${entityIdOf(url, response)}`)
      try {
        if (startByte > 0 && partial !== undefined)
          await wrapStorageErrors('copy a temporary file', copyFile(partial.path, path)).catch(
            async (cause) => {
              await removeIfDiskIsFull([path, partial.path], cause)
              throw cause
            },
          )
        await appendBody(response, path, startByte)
      } catch (cause) {
        response.body.on('error', () => undefined).destroy()
        await removeIfDiskIsFull([path], cause)
        if (cause instanceof LinkUseless || isEncoded(response.headers)) await rm(path, { force: true })
        throw cause
      }
      for (const partialPath of partialPaths) if (partialPath !== path) await rm(partialPath, { force: true })
      return path
    }

    async function requestFrom(
      partial: PartialFile | undefined,
    ): Promise<{ response: Dispatcher.ResponseData; startByte: number }> {
      const range = partial === undefined ? {} : { range: `bytes=${partial.bytes}-` }
      const response = await safeFetch.fetch(url, {
        headers: { 'accept-encoding': 'identity', ...range },
        signal,
      })
      const isSameFile = partial?.path.includes(`.${entityIdOf(url, response)}.`) ?? false
      const isRemainder =
        response.statusCode === 206 && isSameFile && firstByteOf(response) === partial?.bytes
      if (isRemainder && !isEncoded(response.headers)) return { response, startByte: partial?.bytes ?? 0 }
      // The declared type does not count: the bytes decide.
      if (isWholeFile(response)) return { response, startByte: 0 }
      response.body.on('error', () => undefined).destroy()
      if (partial !== undefined) return requestFrom(undefined)
      throw new LinkNotReady(`the link of the result answers HTTP ${response.statusCode}`)
    }

    async function appendBody(
      response: Dispatcher.ResponseData,
      path: string,
      startByte: number,
    ): Promise<void> {
      const announcedBytes = Number(response.headers['content-length'] ?? 0)
      if (startByte + announcedBytes > largestBytes) throw createTooLargeError()
      const decoders = decodersFor(response.headers)
      const file = await wrapStorageErrors('create a temporary file', open(path, 'a', 0o600))
      try {
        let bytes = startByte
        const storeChunk = async (chunk: Buffer): Promise<void> => {
          bytes += chunk.length
          if (bytes > largestBytes) throw createTooLargeError()
          await progress.store(
            chunk.length,
            wrapStorageErrors('write a temporary file', file.appendFile(chunk)),
          )
        }
        const writable = new Writable({
          write: (chunk: Buffer, _, done) => void storeChunk(chunk).then(() => done(), done),
        })
        await pipeline([response.body, ...decoders, writable])
      } finally {
        await wrapStorageErrors('write a temporary file', file.close())
      }
    }
  }

  function createTooLargeError(): LinkUseless {
    const megabytes = Math.floor(largestBytes / 1024 / 1024)
    return new LinkUseless(`the result is larger than ${megabytes} MB (RESULT_MAX_MB)`)
  }
}

/** This machine has no file descriptor, memory or port left for a connection. */
const localResourceCodes = ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL']

/** Our own errors as they are; what the network or a decoder reports is the link's. A bug stays a bug. */
function toLinkError(cause: unknown): unknown {
  const isOurs = [StorageUnavailable, LinkNotReady, LinkUseless, AddressRefused].some(
    (errorClass) => cause instanceof errorClass,
  )
  const isBug = cause instanceof TypeError || cause instanceof ReferenceError || cause instanceof RangeError
  if (isOurs || isBug || !(cause instanceof Error)) return cause
  if ('code' in cause && localResourceCodes.includes(String(cause.code)))
    return toStorageUnavailable('open a connection', cause)
  return new LinkNotReady(`the result cannot be fetched: ${cause.message}`, { cause })
}

/** On a full disk halves of many files would keep each other from ever becoming whole. */
async function removeIfDiskIsFull(paths: readonly string[], cause: unknown): Promise<void> {
  if (!(cause instanceof StorageUnavailable) || !cause.isFull) return
  for (const path of paths) await rm(path, { force: true }).catch(() => undefined)
}

type PartialFile = { path: string; bytes: number }

async function findLongest(paths: readonly string[]): Promise<PartialFile | undefined> {
  const files = await Promise.all(
    paths.map(async (path) => ({ path, bytes: (await stat(path).catch(() => undefined))?.size ?? 0 })),
  )
  return files.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes)[0]
}

/** Short for which version of which file an answer is about. */
function entityIdOf(url: string, { headers, statusCode }: Dispatcher.ResponseData): string {
  const totalBytes =
    statusCode === 206
      ? /\/(\d+)$/.exec(String(headers['content-range'] ?? ''))?.[1]
      : headers['content-length']
  const identity = [url, headers.etag ?? headers['last-modified'] ?? '', totalBytes ?? '']
  return createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 16)
}

/** 203: a proxy changed something. 206: what came is all there is. */
function isWholeFile({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  if (statusCode === 200 || statusCode === 203) return true
  const [, lastByte, totalBytes] = /^bytes 0-(\d+)\/(\d+)$/.exec(String(headers['content-range'] ?? '')) ?? []
  return statusCode === 206 && lastByte !== undefined && Number(lastByte) + 1 === Number(totalBytes)
}

function firstByteOf({ headers }: Dispatcher.ResponseData): number {
  return Number(/^bytes (\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1] ?? -1)
}
