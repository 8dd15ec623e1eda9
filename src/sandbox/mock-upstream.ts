import type { FastifyInstance } from 'fastify'
import type { ProviderName } from '../../providers/provider.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a call does, so that faults can be injected into calls of one kind. */
    operation?: string
  }
}

/** A Fastify plugin that speaks the wire protocol of one upstream. */
export type MockUpstream = {
  name: ProviderName
  /** Registers the routes of every host of the provider; `baseUrl` returns the address of each. */
  mount(app: FastifyInstance, context: MockContext): void
  /** What a call does, if its body and not its path decides; takes precedence over the `operation` of the route. */
  operationOf?(body: unknown): string | undefined
}

/** What the server provides to each mock upstream. */
export type MockContext = {
  tasks: MockTasks
  /** The absolute base URL of a host of the provider, without a slash at the end. */
  baseUrl(host: string): string
  /** A link to a playable MP4; `name` makes it unique. */
  videoUrl(name: string): string
  /** Unix milliseconds. */
  now(): number
  /** The duration of a render. */
  renderMs: number
}

/** Tasks outlive the process, so that a killed gateway finds them again. */
export type MockTasks = {
  put(task: MockTask): Promise<void>
  get(id: string): Promise<MockTask | undefined>
  list(): Promise<readonly MockTask[]>
}

export type MockTask = {
  id: string
  endpoint: string
  body: Readonly<Record<string, unknown>>
  createdAt: number
  canceledAt?: number
  /** The callback URL. */
  hook?: string
}

/** How a task ends, by a word in its prompt (`sandbox:fail`). */
export type SimulatedEnd = 'succeed' | 'fail' | 'refuse' | 'invalid' | 'hang' | 'empty'

const endWords: readonly SimulatedEnd[] = ['fail', 'refuse', 'invalid', 'hang', 'empty']

/** By the first trigger word in any text of the body. */
export function simulatedEndOf(body: unknown): SimulatedEnd {
  return endWords.find((word) => containsText(body, `sandbox:${word}`)) ?? 'succeed'
}

/** True if any text of the body contains the text. Bodies may have tens of megabytes, so they are not serialized. */
export function containsText(body: unknown, text: string): boolean {
  if (typeof body === 'string') return body.includes(text)
  return (
    typeof body === 'object' &&
    body !== null &&
    Object.values(body).some((value) => containsText(value, text))
  )
}

/** A task waits in the queue for a quarter of its render. One that hangs never gets past 99 %. */
export function renderProgressOf(
  task: MockTask,
  context: MockContext,
): { step: 'queued' | 'running' | 'ended'; progress: number } {
  const progress = Math.floor(((context.now() - task.createdAt) / context.renderMs) * 100)
  if (progress < 25) return { step: 'queued', progress: 0 }
  if (progress < 100 || simulatedEndOf(task.body) === 'hang')
    return { step: 'running', progress: Math.min(progress, 99) }
  return { step: 'ended', progress: 100 }
}
