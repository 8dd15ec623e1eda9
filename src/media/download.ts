import { createHash } from 'node:crypto'
import { copyFile, open, rm, stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Dispatcher } from 'undici'
import { createCollector } from './collect.ts'
import { decodersFor, isEncoded } from './content-encoding.ts'
import { AddressRefused, type Guard } from './guard.ts'
import { watchProgress } from './progress.ts'
import type { Scratch } from './scratch.ts'
import { StorageUnavailable, storageFault, storing } from './storage-fault.ts'

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

type Deps = DownloadLimits & { guard: Guard; scratch: Scratch }

/**
 * Fetches a link into a scratch file and answers its path. What an earlier try left behind is gone on with, where the upstream
 * can and its file is still the same; each try writes a file of its own, so that two at once do no harm. Rejects with
 * `LinkNotReady` or `LinkUseless` for what the upstream does, with `StorageUnavailable` for what the disk does.
 */
export function createDownload({ guard, scratch, largestBytes, bytesPerSecond, windowMs }: Deps) {
  return async (url: string, name: string, aborted?: AbortSignal): Promise<string> => {
    const cut = new AbortController()
    const signal = aborted === undefined ? cut.signal : AbortSignal.any([cut.signal, aborted])
    const onStall = (message: string) => cut.abort(new LinkNotReady(message))
    const progress = watchProgress({ bytesPerSecond, windowMs, onStall })
    try {
      return await fetchFile()
    } catch (cause) {
      // However undici words it, the reason is why it was stopped.
      throw signal.aborted && !(cause instanceof StorageUnavailable) ? signal.reason : linkFault(cause)
    } finally {
      progress.stop()
    }

    async function fetchFile(): Promise<string> {
      const others = await scratch.left(name)
      const left = await longest(others)
      const { answer, from } = await askFrom(left)
      const path = scratch.path(`${name}.${entityOf(url, answer)}`)
      try {
        if (from > 0 && left !== undefined)
          await storing('copy a temporary file', copyFile(left.path, path)).catch(async (cause) => {
            await dropIfSpaceIsShort([path, left.path], cause)
            throw cause
          })
        await append(answer, path, from)
      } catch (cause) {
        answer.body.on('error', () => undefined).destroy()
        await dropIfSpaceIsShort([path], cause)
        if (cause instanceof LinkUseless || isEncoded(answer.headers)) await rm(path, { force: true })
        throw cause
      }
      for (const other of others) if (other !== path) await rm(other, { force: true })
      return path
    }

    async function askFrom(
      start: Left | undefined,
    ): Promise<{ answer: Dispatcher.ResponseData; from: number }> {
      const range = start === undefined ? {} : { range: `bytes=${start.bytes}-` }
      const reply = await guard.ask(url, { headers: { 'accept-encoding': 'identity', ...range }, signal })
      const same = start?.path.includes(`.${entityOf(url, reply)}.`) ?? false
      const isRest = reply.statusCode === 206 && same && startOf(reply) === start?.bytes
      if (isRest && !isEncoded(reply.headers)) return { answer: reply, from: start?.bytes ?? 0 }
      // Whatever its type is said to be: the bytes tell.
      if (isWhole(reply)) return { answer: reply, from: 0 }
      reply.body.on('error', () => undefined).destroy()
      if (start !== undefined) return askFrom(undefined)
      throw new LinkNotReady(`the link of the result answers HTTP ${reply.statusCode}`)
    }

    async function append(answer: Dispatcher.ResponseData, path: string, from: number): Promise<void> {
      const announced = Number(answer.headers['content-length'] ?? 0)
      if (from + announced > largestBytes) throw tooLarge()
      const decoders = decodersFor(answer.headers)
      const file = await storing('create a temporary file', open(path, 'a', 0o600))
      try {
        let bytes = from
        const collect = createCollector()
        const store = async (piece: Buffer): Promise<void> => {
          bytes += piece.length
          if (bytes > largestBytes) throw tooLarge()
          await progress.store(piece.length, storing('write a temporary file', file.appendFile(piece)))
          collect(piece.length)
        }
        const sink = new Writable({
          write: (piece: Buffer, _, done) => void store(piece).then(() => done(), done),
        })
        await pipeline([answer.body, ...decoders, sink])
      } finally {
        await storing('write a temporary file', file.close())
      }
    }
  }

  function tooLarge(): LinkUseless {
    const megabytes = Math.floor(largestBytes / 1024 / 1024)
    return new LinkUseless(`the result is larger than ${megabytes} MB (RESULT_MAX_MB)`)
  }
}

/** This machine has no file descriptor, memory or port left for a connection. */
const ownLimits = ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL']

/** Our own errors as they are; what the network or a decoder reports is the link's. A bug stays a bug. */
function linkFault(cause: unknown): unknown {
  const isOurs = [StorageUnavailable, LinkNotReady, LinkUseless, AddressRefused].some(
    (one) => cause instanceof one,
  )
  const isBug = cause instanceof TypeError || cause instanceof ReferenceError || cause instanceof RangeError
  if (isOurs || isBug || !(cause instanceof Error)) return cause
  if ('code' in cause && ownLimits.includes(String(cause.code)))
    return storageFault('open a connection', cause)
  return new LinkNotReady(`the result cannot be fetched: ${cause.message}`, { cause })
}

/** On a full disk halves of many files would keep each other from ever becoming whole. */
async function dropIfSpaceIsShort(paths: readonly string[], cause: unknown): Promise<void> {
  if (!(cause instanceof StorageUnavailable) || !cause.isFull) return
  for (const path of paths) await rm(path, { force: true }).catch(() => undefined)
}

type Left = { path: string; bytes: number }

async function longest(paths: readonly string[]): Promise<Left | undefined> {
  const found = await Promise.all(
    paths.map(async (path) => ({ path, bytes: (await stat(path).catch(() => undefined))?.size ?? 0 })),
  )
  return found.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes)[0]
}

/** Short for which version of which file an answer is about. */
function entityOf(url: string, { headers, statusCode }: Dispatcher.ResponseData): string {
  const whole =
    statusCode === 206
      ? /\/(\d+)$/.exec(String(headers['content-range'] ?? ''))?.[1]
      : headers['content-length']
  const told = [url, headers.etag ?? headers['last-modified'] ?? '', whole ?? '']
  return createHash('sha256').update(told.join('\n')).digest('hex').slice(0, 16)
}

/** 203: a proxy changed something. 206: what came is all there is. */
function isWhole({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  if (statusCode === 200 || statusCode === 203) return true
  const [, last, whole] = /^bytes 0-(\d+)\/(\d+)$/.exec(String(headers['content-range'] ?? '')) ?? []
  return statusCode === 206 && last !== undefined && Number(last) + 1 === Number(whole)
}

function startOf({ headers }: Dispatcher.ResponseData): number {
  return Number(/^bytes (\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1] ?? -1)
}
