import type { FastifyReply } from 'fastify'
import type { Redis } from 'ioredis'
import { says } from './mock-upstream.ts'

/** What a stand-in upstream can be told to do wrong, once or several times, with one kind of call. */
export type Trouble = {
  provider: string
  operation: string
  kind: TroubleKind
  /** For `status`. */
  status?: number
  headers?: Record<string, string>
  body?: unknown
  /** For `late`. */
  ms?: number
  /** How many calls it befalls. */
  times: number
}

type TroubleKind =
  /** Answers with a status of its own; the call has no effect. */
  | 'status'
  /** Answers with a page instead of JSON; the call has no effect. */
  | 'html'
  /** Breaks the connection before reading anything out of the call. */
  | 'reset'
  /** Does what was asked, then breaks the connection instead of answering. */
  | 'lost'
  /** Does what was asked, then breaks the connection in the middle of the answer. */
  | 'torn'
  /** Does what was asked and answers late. */
  | 'late'
  /** Never answers; the call has no effect. */
  | 'hang'

/** Words in a prompt that trouble the submit call. */
const words: Readonly<Record<string, Omit<Trouble, 'provider' | 'operation' | 'times'>>> = {
  'sandbox:lost': { kind: 'lost' },
  'sandbox:late': { kind: 'late', ms: 5000 },
  'sandbox:busy': {
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '1' },
    body: { message: 'Too many requests' },
  },
}

/** Who is too busy takes the next submit: earlier than the gateway would turn to another upstream. */
const busyTimes = 2

/** The count of busy replies is forgotten this long after the last one. */
const busySeconds = 86_400

export function createTroubles({ redis, prefix }: { redis: Redis; prefix: string }) {
  const armed: Trouble[] = []
  return {
    arm(trouble: Trouble): void {
      armed.push(trouble)
    },
    /** How many calls are still to be befallen. */
    left(provider: string): number {
      return armed.reduce((sum, trouble) => sum + (trouble.provider === provider ? trouble.times : 0), 0)
    },
    /** Takes back what is left of a provider's troubles. */
    disarm(provider: string): void {
      for (const trouble of armed) if (trouble.provider === provider) trouble.times = 0
    },
    /** The trouble that befalls this call, if any. */
    strike(provider: string, operation: string): Trouble | undefined {
      const found = armed.find(
        (trouble) => trouble.times > 0 && trouble.provider === provider && trouble.operation === operation,
      )
      if (found !== undefined) found.times -= 1
      return found
    },
    /** The trouble that a word in the body of a submit asks for. */
    async asked(
      provider: string,
      body: unknown,
    ): Promise<Omit<Trouble, 'provider' | 'operation' | 'times'> | undefined> {
      const found = Object.entries(words).find(([word]) => says(body, word))?.[1]
      if (found?.kind !== 'status') return found
      // Counted over all processes: a retry may come to another one.
      const key = `${prefix}sandbox:busy:${provider}`
      const submits = await redis.incr(key)
      await redis.expire(key, busySeconds)
      return submits % (busyTimes + 1) === 0 ? undefined : found
    },
  }
}

/** Trouble before the call has an effect. True when it has been answered, or never will be. */
export async function before(
  trouble: Pick<Trouble, 'kind' | 'status' | 'headers' | 'body'>,
  reply: FastifyReply,
): Promise<boolean> {
  if (trouble.kind === 'status') {
    await reply
      .code(trouble.status ?? 500)
      .headers(trouble.headers ?? {})
      .send(trouble.body ?? { message: 'Something went wrong' })
    return true
  }
  if (trouble.kind === 'html') {
    await reply
      .code(trouble.status ?? 502)
      .type('text/html')
      .send('<html><body><h1>502 Bad Gateway</h1></body></html>')
    return true
  }
  if (trouble.kind === 'reset' || trouble.kind === 'hang') {
    reply.hijack()
    if (trouble.kind === 'reset') reply.raw.socket?.destroy()
    return true
  }
  return false
}

/** Trouble after the call has had its effect; answers what is sent instead. */
export async function after(
  trouble: Pick<Trouble, 'kind' | 'ms'>,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (trouble.kind === 'late') await new Promise((resolve) => setTimeout(resolve, trouble.ms ?? 1000))
  if (trouble.kind === 'lost') reply.raw.socket?.destroy()
  if (trouble.kind === 'torn') {
    reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': '4096' })
    reply.raw.write(String(payload).slice(0, 20))
    setTimeout(() => reply.raw.socket?.destroy(), 20)
    await new Promise((resolve) => reply.raw.once('close', resolve))
  }
  return payload
}
