import type { Engine } from './engine.ts'
import { isTerminal, type JobView, type VersionedHistoryEntry } from './job.ts'

const retryMs = 500

type Follower = {
  /** The last version that the caller knows; absent: start with the current one. */
  after?: number | undefined
  /** Called for every later version, in order, once each. */
  onChange(view: JobView): void
  /** The job has ended or no longer exists: no more changes follow. */
  onEnd(): void
}

type FollowedEngine = Pick<Engine, 'readStatus' | 'watch' | 'readHistoryAfter'>

/** Reports a job's changes as they happen. Missed changes are read from the stored history. Returns how to stop. */
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
    // Also if the caller knows the last version already, or the history has expired.
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

/** The job at an earlier version, reconstructed from the current one. */
function viewAt(current: JobView, { version, entry }: VersionedHistoryEntry): JobView {
  const { completedAt: _, videos: __, error: ___, ...unfinished } = current
  const base = isTerminal(entry.state) ? current : unfinished
  return { ...base, version, state: entry.state, progress: entry.progress }
}
