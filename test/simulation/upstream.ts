import type { Hit } from './faults.ts'
import type { Moment } from './redis-server.ts'
import type { Actor, World } from './world.ts'

/** How the render of a job goes at its upstream. */
export type Render = {
  ms: number
  end: 'done' | 'failed' | 'never'
  /** When the upstream calls back, after the end; several times, or never. */
  callbacksMs: readonly number[]
}

/** A purchase, as the upstream has written it down; `intent`: the buyer's last write of the job's record before; `replied`: the buyer has read the reply. */
export type Purchase = {
  sequence: number
  at: number
  jobId: string
  attempt: string
  taskId: string
  repeatedId: boolean
  intent: Moment | undefined
  buyer: Actor
  replied?: true
}

export type Task = {
  id: string
  jobId: string
  attempt: string
  prompt: string
  at: number
  endsAt: number
  end: Render['end'] | 'stopped'
  /** Polls up to then find no such task. */
  forgottenUntil: number
}

export type Submission = { jobId: string; attempt: string; prompt: string; callback?: string }

/** What is never rendered fails in the end, after the deadline of every job. */
const givenUpMs = 25 * 60_000

export type Upstream = ReturnType<typeof createUpstream>

type Options = {
  name: string
  /** Takes one task for an attempt ID, as Runware does. */
  deduplicates: boolean
  render(jobId: string): Render
  callback(url: string, body: unknown): void
}

/** A simulated upstream with its own accounting. */
export function createUpstream(world: World, { name, deduplicates, render, callback }: Options) {
  const tasks = new Map<string, Task>()
  const purchases: Purchase[] = []

  function buy(
    { jobId, attempt, prompt, callback: url }: Submission,
    hits: readonly Hit[],
    buyer: Actor,
    intent: Moment | undefined,
  ): Task {
    const existing = deduplicates ? [...tasks.values()].find((task) => task.attempt === attempt) : undefined
    if (existing !== undefined) return existing
    // Where the ID is our own, there is none that an upstream could repeat.
    const repeats = !deduplicates && hits.some(({ kind }) => kind === 'repeatsId')
    const repeated = repeats ? [...tasks.values()].at(-1) : undefined
    const { ms, end, callbacksMs } = render(jobId)
    const task = repeated ?? {
      id: `${name}-${tasks.size + 1}`,
      jobId,
      attempt,
      prompt,
      at: world.now(),
      endsAt: world.now() + (end === 'never' ? givenUpMs : ms),
      end,
      forgottenUntil: 0,
    }
    tasks.set(task.id, task)
    const repeatedId = repeated !== undefined
    purchases.push({
      sequence: world.sequence(),
      at: world.now(),
      jobId,
      attempt,
      taskId: task.id,
      repeatedId,
      intent,
      buyer,
    })
    world.note(`${name} makes ${task.id} for ${jobId}`)
    if (url !== undefined && end !== 'never')
      for (const delay of callbacksMs)
        world.at(task.endsAt + delay, () => callback(url, { task: task.id, attempt: task.attempt }))
    return task
  }

  /** What is true of a task now. */
  function stateOf(task: Task): 'running' | 'done' | 'failed' | 'stopped' {
    if (task.end === 'stopped') return 'stopped'
    if (world.now() < task.endsAt) return 'running'
    return task.end === 'never' ? 'failed' : task.end
  }

  return {
    name,
    tasks,
    purchases,
    buy,
    stateOf,
    find: (attempt: string) => [...tasks.values()].find((task) => task.attempt === attempt),
    list: (prompt: string, after: number) =>
      [...tasks.values()].filter((task) => task.prompt === prompt && task.at >= after - 30_000),
    stop(id: string): void {
      const task = tasks.get(id)
      if (task !== undefined && stateOf(task) === 'running') task.end = 'stopped'
    },
    visible: (id: string) => {
      const task = tasks.get(id)
      return task === undefined || world.now() < task.forgottenUntil ? undefined : task
    },
  }
}
