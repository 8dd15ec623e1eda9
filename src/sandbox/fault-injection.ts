import type { FastifyReply } from 'fastify'
import type { Redis } from 'ioredis'
import { containsText } from './mock-upstream.ts'

/** A fault of a mock upstream in calls of one kind. */
export type InjectedFault = {
  provider: string
  operation: string
  kind: InjectedFaultKind
  /** For `status`. */
  status?: number
  headers?: Record<string, string>
  body?: unknown
  /** For `late`. */
  ms?: number
  /** How many calls fail. */
  times: number
}

/** A fault without the calls that it is for. */
export type FaultBehavior = Omit<InjectedFault, 'provider' | 'operation' | 'times'>

type InjectedFaultKind =
  /** Replies with another status; the call has no effect. */
  | 'status'
  /** Replies with a page instead of JSON; the call has no effect. */
  | 'html'
  /** Breaks the connection before reading the call. */
  | 'reset'
  /** Carries out the call, then breaks the connection instead of replying. */
  | 'lost'
  /** Carries out the call, then breaks the connection in the middle of the reply. */
  | 'torn'
  /** Carries out the call and replies late. */
  | 'late'
  /** Never replies; the call has no effect. */
  | 'hang'

/** Words in a prompt that make the submission fail. */
const faultsByPromptWord: Readonly<Record<string, FaultBehavior>> = {
  'sandbox:lost': { kind: 'lost' },
  'sandbox:late': { kind: 'late', ms: 5000 },
  'sandbox:busy': {
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '1' },
    body: { message: 'Too many requests' },
  },
}

/** A busy upstream accepts the submission after these replies: before the gateway would try another upstream. */
const busyReplies = 2

/** The count of busy replies expires this long after the last one. */
const busyCountSeconds = 86_400

export function createFaultInjector({ redis, prefix }: { redis: Redis; prefix: string }) {
  const faults: InjectedFault[] = []
  return {
    injectFault(fault: InjectedFault): void {
      faults.push(fault)
    },
    /** How many calls are still to fail. */
    countPending(provider: string): number {
      return faults.reduce((sum, fault) => sum + (fault.provider === provider ? fault.times : 0), 0)
    },
    /** Removes the remaining faults of a provider. */
    clearFaults(provider: string): void {
      for (const fault of faults) if (fault.provider === provider) fault.times = 0
    },
    /** The injected fault of this call, if any. */
    take(provider: string, operation: string): InjectedFault | undefined {
      const next = faults.find(
        (fault) => fault.times > 0 && fault.provider === provider && fault.operation === operation,
      )
      if (next !== undefined) next.times -= 1
      return next
    },
    /** The fault that a word in the body of a submission asks for. */
    async fromPrompt(provider: string, body: unknown): Promise<FaultBehavior | undefined> {
      const fault = Object.entries(faultsByPromptWord).find(([word]) => containsText(body, word))?.[1]
      if (fault?.kind !== 'status') return fault
      // Counted over all processes: a retry may come to another one.
      const key = `${prefix}sandbox:busy:${provider}`
      const submissions = await redis.incr(key)
      await redis.expire(key, busyCountSeconds)
      return submissions % (busyReplies + 1) === 0 ? undefined : fault
    },
  }
}

/** Faults before the call has an effect. True if it was answered, or never will be. */
export async function applyBeforeCall(
  fault: Pick<InjectedFault, 'kind' | 'status' | 'headers' | 'body'>,
  reply: FastifyReply,
): Promise<boolean> {
  if (fault.kind === 'status') {
    await reply
      .code(fault.status ?? 500)
      .headers(fault.headers ?? {})
      .send(fault.body ?? { message: 'Something went wrong' })
    return true
  }
  if (fault.kind === 'html') {
    await reply
      .code(fault.status ?? 502)
      .type('text/html')
      .send('<html><body><h1>502 Bad Gateway</h1></body></html>')
    return true
  }
  if (fault.kind === 'reset' || fault.kind === 'hang') {
    reply.hijack()
    if (fault.kind === 'reset') reply.raw.socket?.destroy()
    return true
  }
  return false
}

/** Faults after the call has had its effect; returns the payload to send. */
export async function applyAfterCall(
  fault: Pick<InjectedFault, 'kind' | 'ms'>,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (fault.kind === 'late') await new Promise((resolve) => setTimeout(resolve, fault.ms ?? 1000))
  if (fault.kind === 'lost') reply.raw.socket?.destroy()
  if (fault.kind === 'torn') {
    reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': '4096' })
    reply.raw.write(String(payload).slice(0, 20))
    setTimeout(() => reply.raw.socket?.destroy(), 20)
    await new Promise((resolve) => reply.raw.once('close', resolve))
  }
  return payload
}
