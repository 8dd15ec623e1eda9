import type { Video } from '../../providers/provider.ts'
import type { StepDeps } from '../../src/jobs/steps/deps.ts'
import { LinkUseless } from '../../src/media/results/download.ts'
import { StorageUnavailable } from '../../src/media/storage/storage-fault.ts'
import type { Upstream } from './upstream.ts'
import type { Actor, World } from './world.ts'

/** How long an upstream's link can be fetched. */
export const linkMs = 6 * 3_600_000

export type FileStore = ReturnType<typeof createFileStore>

/** The store of finished files, and the fetching of an upstream's links into it. */
export function createFileStore(
  world: World,
  { upstreams, fetchMs }: { upstreams: Readonly<Record<string, Upstream>>; fetchMs(job: string): number },
) {
  /** Served path -> the task whose video it is. */
  const files = new Map<string, string>()
  let failsUntil = 0
  world.onFault(({ kind, ms = 0 }) => {
    if (kind === 'storeFails') failsUntil = world.now() + ms
  })

  function fetchFile(id: string, url: string): string {
    const [, , name = '', taskId = ''] = url.split('/')
    const task = upstreams[name]?.tasks.get(taskId)
    if (task === undefined || world.now() > task.endsAt + linkMs) throw new LinkUseless('the link is gone')
    if (world.now() < failsUntil)
      throw new StorageUnavailable('Cannot keep a result: ENOSPC', { isFull: true })
    const path = `/files/${id}.mp4`
    files.set(path, taskId)
    return path
  }

  return {
    files,
    deliverFor:
      (actor: Actor): StepDeps['storeResults'] =>
      async ({ id }, videos, { signal }) => {
        await sleepUnless(actor, fetchMs(id), signal)
        return world.call(actor, { type: 'fetch', label: `fetches the files of ${id}` }, async () =>
          videos.map(({ url }): Video => ({ url: fetchFile(id, url) })),
        )
      },
  }
}

/** Rejects with the signal's reason as soon as it is aborted. */
function sleepUnless(actor: Actor, ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms === 0) return Promise.resolve()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  void actor.sleep(ms).then(resolve)
  return promise
}
