import { createHash } from 'node:crypto'
import { copyFile, open, rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { createCollector } from './collect.ts'
import type { Guard } from './guard.ts'
import type { Scratch } from './scratch.ts'

/** Thrown where the link cannot be had (yet). */
export class LinkNotReady extends Error {
  override name = 'LinkNotReady'
}

/** Thrown where asking again would not help. */
export class LinkUseless extends Error {
  override name = 'LinkUseless'
}

type Limits = { largestBytes: number; timeoutMs: number }

/**
 * Fetches a link into a scratch file and answers its path. What an earlier try left behind is gone on with, where the upstream
 * can and its file is still the same; each try writes a file of its own, so that two at once do no harm.
 */
export function createDownload({
  guard,
  scratch,
  largestBytes,
  timeoutMs,
}: { guard: Guard; scratch: Scratch } & Limits) {
  return async (url: string, name: string): Promise<string> => {
    const signal = AbortSignal.timeout(timeoutMs)
    const others = await scratch.left(name)
    const left = await longest(others)
    const { answer, from } = await askFrom(left)
    const path = scratch.path(`${name}.${entityOf(url, answer)}`)
    try {
      if (from > 0 && left !== undefined) await copyFile(left.path, path)
      await append(answer.body, path, from)
    } catch (cause) {
      if (cause instanceof LinkUseless) await rm(path, { force: true })
      throw cause
    }
    for (const other of others) if (other !== path) await rm(other, { force: true })
    return path

    async function askFrom(
      start: Left | undefined,
    ): Promise<{ answer: Dispatcher.ResponseData; from: number }> {
      const headers = start === undefined ? {} : { range: `bytes=${start.bytes}-` }
      const reply = await guard.ask(url, { headers, signal })
      const type = String(reply.headers['content-type'] ?? '')
      const same = start?.path.includes(`.${entityOf(url, reply)}.`) ?? false
      if (reply.statusCode === 206 && same && startOf(reply) === start?.bytes)
        return { answer: reply, from: start.bytes }
      if (reply.statusCode === 200 && !/^(text|application\/(json|xml))/.test(type))
        return { answer: reply, from: 0 }
      reply.body.on('error', () => undefined).destroy()
      if (start !== undefined) return askFrom(undefined)
      throw new LinkNotReady(`the link of the result answers HTTP ${reply.statusCode} ${type}`)
    }
  }

  async function append(body: Readable, path: string, from: number): Promise<void> {
    const file = await open(path, 'a', 0o600)
    try {
      let bytes = from
      const collect = createCollector()
      for await (const piece of body) {
        bytes += (piece as Buffer).length
        if (bytes > largestBytes) throw new LinkUseless(`the result is larger than ${largestBytes} bytes`)
        await file.appendFile(piece as Buffer)
        collect((piece as Buffer).length)
      }
    } finally {
      await file.close()
    }
  }
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

function startOf({ headers }: Dispatcher.ResponseData): number {
  return Number(/^bytes (\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1] ?? -1)
}
