import type { Change, Engine } from './engine.ts'
import { isTerminal, type View } from './job.ts'

const tryAgainMs = 500

type Follower = {
  /** The version that is known already; absent: begin with the job as it is. */
  after?: number | undefined
  /** Every later version in its order, each once. */
  tell(view: View): void
  /** Nothing more will be told: the job has ended, or is gone. */
  end(): void
}

type Source = Pick<Engine, 'status' | 'watch' | 'since'>

/** Tells a job's changes as they come. What was missed, for whatever reason, is taken from the stored events. Answers how to stop. */
export async function follow(
  engine: Source,
  id: string,
  { after, tell, end }: Follower,
): Promise<() => void> {
  let known = after
  let looking = false
  let lookAgain = false
  let stopped = false
  let unwatch = () => {}

  function stop(): void {
    stopped = true
    unwatch()
  }

  function pass(view: View): void {
    if (stopped) return
    known = view.version
    tell(view)
    if (isTerminal(view.state)) finish()
  }

  function finish(): void {
    if (stopped) return
    stop()
    end()
  }

  async function look(): Promise<void> {
    lookAgain = true
    if (looking) return
    looking = true
    while (lookAgain && !stopped) {
      lookAgain = false
      try {
        await catchUp()
      } catch {
        lookAgain = true
        await new Promise((resolve) => setTimeout(resolve, tryAgainMs))
      }
    }
    looking = false
  }

  async function catchUp(): Promise<void> {
    const found = await engine.status(id)
    if (found === undefined) return finish()
    const { view } = found
    if (known === undefined || known > view.version) pass(view)
    else if (known < view.version) {
      for (const change of await engine.since(id, known)) if (!stopped) pass(viewAt(view, change))
    }
    // Also where the end itself is known already, or its events are gone.
    if (isTerminal(view.state)) finish()
  }

  unwatch = await engine.watch(id, {
    changed(view) {
      if (looking) lookAgain = true
      else if (known !== undefined && view.version === known + 1) pass(view)
      else if (known === undefined || view.version > known) void look()
    },
    missed: () => void look(),
  })
  if (stopped) unwatch()
  await look()
  return stop
}

/** The job as it was told then, given how it is now. */
function viewAt(now: View, { version, event }: Change): View {
  const { completedAt: _, videos: __, error: ___, ...begun } = now
  const base = isTerminal(event.state) ? now : begun
  return { ...base, version, state: event.state, progress: event.progress }
}
