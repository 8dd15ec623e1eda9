import type { JobState, JobView } from './job.ts'
import type { JobStore } from './store/store.ts'

export type JobListQuery = {
  owner: string
  limit: number
  /** ID of the job after which the page starts. Jobs that are created meanwhile do not shift the page. */
  after?: string
  oldestFirst?: boolean
  model?: string
  states?: readonly JobState[]
  conversationUUID?: string
}

/** `next`: there may be more jobs after this one. */
export type JobPage = { views: readonly JobView[]; next?: string }

/** Number of records per read, and the most that one page reads: a filter may match few of them. */
const batchSize = 100
const maxRead = 2000

/** `undefined`: the owner has no job `after`. */
export async function readJobPage(
  store: Pick<JobStore, 'listOwnedIds' | 'readViews'>,
  query: JobListQuery,
): Promise<JobPage | undefined> {
  const { owner, limit, oldestFirst = false } = query
  const views: JobView[] = []
  let after = query.after
  for (let readCount = 0; readCount < maxRead; readCount += batchSize) {
    const ids = await store.listOwnedIds(owner, { after, oldestFirst, count: batchSize })
    if (ids === undefined) return readCount === 0 ? undefined : { views }
    for (const view of await store.readViews(ids)) {
      const last = views.at(-1)
      if (!matchesQuery(view, query)) continue
      if (views.length === limit && last !== undefined) return { views, next: last.id }
      views.push(view)
    }
    after = ids.at(-1)
    if (ids.length < batchSize || after === undefined) return { views }
  }
  return { views, ...(after === undefined ? {} : { next: after }) }
}

function matchesQuery(view: JobView, { model, states, conversationUUID }: JobListQuery): boolean {
  return (
    (model === undefined || view.model === model) &&
    (states === undefined || states.includes(view.state)) &&
    (conversationUUID === undefined || view.conversationUUID === conversationUUID)
  )
}
