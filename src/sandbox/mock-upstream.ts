import type { FastifyInstance } from 'fastify'
import type { ProviderName } from '../../providers/provider.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a call to a stand-in upstream does, so that its host can make just those fail on demand. */
    operation?: string
  }
}

/** A stand-in upstream: a Fastify plugin that speaks one upstream's real wire protocol. */
export type Sandbox = {
  name: ProviderName
  /** Registers the routes of every host of the provider; `baseUrl` tells under which prefix each is reached. */
  mount(app: FastifyInstance, stage: SandboxStage): void
  /** What a call does, where its body tells and not its path; stands for the routes' `operation` where it tells. */
  operationOf?(body: unknown): string | undefined
}

/** What the host of the sandboxes lends to each of them. */
export type SandboxStage = {
  tasks: SandboxTasks
  /** The absolute base URL of one of the provider's hosts, no slash at the end. */
  baseUrl(host: string): string
  /** The link of a real, playable MP4; `name` makes it unique. */
  videoUrl(name: string): string
  /** Unix milliseconds. */
  now(): number
  /** How long a render takes. */
  renderMs: number
}

/** Tasks outlive the process: a killed gateway finds its upstream where it left it. */
export type SandboxTasks = {
  put(task: SandboxTask): Promise<void>
  get(id: string): Promise<SandboxTask | undefined>
  list(): Promise<readonly SandboxTask[]>
}

export type SandboxTask = {
  id: string
  endpoint: string
  body: Readonly<Record<string, unknown>>
  createdAt: number
  canceledAt?: number
  /** Where the upstream is to call when it is done. */
  hook?: string
}

/** How a task is to end, told by a word in its prompt (`sandbox:fail`). */
export type Ending = 'succeed' | 'fail' | 'refuse' | 'invalid' | 'hang' | 'empty'

const words: readonly Ending[] = ['fail', 'refuse', 'invalid', 'hang', 'empty']

/** Looks for a trigger word anywhere in the body's text. */
export function endingOf(body: unknown): Ending {
  return words.find((word) => says(body, `sandbox:${word}`)) ?? 'succeed'
}

/** Whether a text anywhere in the body holds the words. Bodies may be tens of megabytes, so none is written out for it. */
export function says(body: unknown, text: string): boolean {
  if (typeof body === 'string') return body.includes(text)
  return typeof body === 'object' && body !== null && Object.values(body).some((value) => says(value, text))
}

/** How far a task is: a quarter of the render is spent waiting in the queue. A task that hangs never gets past 99 %. */
export function stageOf(
  task: SandboxTask,
  stage: SandboxStage,
): { step: 'queued' | 'running' | 'ended'; progress: number } {
  const progress = Math.floor(((stage.now() - task.createdAt) / stage.renderMs) * 100)
  if (progress < 25) return { step: 'queued', progress: 0 }
  if (progress < 100 || endingOf(task.body) === 'hang')
    return { step: 'running', progress: Math.min(progress, 99) }
  return { step: 'ended', progress: 100 }
}
