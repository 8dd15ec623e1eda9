import type { Engine } from './engine.ts'
import { isTerminal, type JobView, type VersionedHistoryEntry } from './job.ts'

const retryMs = 500

type Follower = {
  /** The version that is known already; absent: begin with the job as it is. */
  after?: number | undefined
  /** Every later version in its order, each once. */
  onChange(view: JobView): void
  /** Nothing more will be told: the job has ended, or is gone. */
  onEnd(): void
}

type FollowedEngine = Pick<Engine, 'readStatus' | 'watch' | 'readHistoryAfter'>

/** Tells a job's changes as they come. What was missed, for whatever reason, is taken from the stored events. Answers how to stop. */
export async function followJob(
  engine: FollowedEngine,
  id: string,
  { after, onChange, onEnd }: Follower,
): Promise<() => void> {
  let lastVersion = after
  let isRefreshing = false
  let isOutdated = false
  let isStopped = false
  let stopWatching = () => {}

  function stop(): void {
    isStopped = true
    stopWatching()
  }

  function forward(view: JobView): void {
    if (isStopped) return
    lastVersion = view.version
    onChange(view)
    if (isTerminal(view.state)) endFollowing()
  }

  function endFollowing(): void {
    if (isStopped) return
    stop()
    onEnd()
  }

  async function refresh(): Promise<void> {
    isOutdated = true
    if (isRefreshing) return
    isRefreshing = true
    while (isOutdated && !isStopped) {
      isOutdated = false
      try {
        await catchUp()
      } catch {
        isOutdated = true
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
    isRefreshing = false
  }

  async function catchUp(): Promise<void> {
    const status = await engine.readStatus(id)
    if (status === undefined) return endFollowing()
    const { view } = status
    if (lastVersion === undefined || lastVersion > view.version) forward(view)
    else if (lastVersion < view.version) {
      for (const next of await engine.readHistoryAfter(id, lastVersion))
        if (!isStopped) forward(viewAt(view, next))
    }
    // Also where the end itself is known already, or its events are gone.
    if (isTerminal(view.state)) endFollowing()
  }

  stopWatching = await engine.watch(id, {
    onChange(view) {
      if (isRefreshing) isOutdated = true
      else if (lastVersion !== undefined && view.version === lastVersion + 1) forward(view)
      else if (lastVersion === undefined || view.version > lastVersion) void refresh()
    },
    onMissed: () => void refresh(),
  })
  if (isStopped) stopWatching()
  await refresh()
  return stop
}

/** The job as it was told then, given how it is now. */
function viewAt(current: JobView, { version, entry }: VersionedHistoryEntry): JobView {
  const { completedAt: _, videos: __, error: ___, ...unfinished } = current
  const base = isTerminal(entry.state) ? current : unfinished
  return { ...base, version, state: entry.state, progress: entry.progress }
}
