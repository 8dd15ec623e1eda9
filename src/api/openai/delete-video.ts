import { jobParams } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { DeletedOpenaiVideo } from './schemas.ts'

/** Deletes a finished job and its files; cancels a running one. */
export const deleteVideo: RouteDefinition<{ params: typeof jobParams }> = {
  method: 'DELETE',
  path: '/videos/:id',
  docs: {
    id: 'deleteVideo',
    tag: 'OpenAI Videos',
    summary: 'Delete a finished job and its files, or cancel a running one',
    errorStatuses: [403, 404],
    hasOpenaiErrors: true,
  },
  params: jobParams,
  response: DeletedOpenaiVideo,
  respond: async ({ engine, files }, request): Promise<DeletedOpenaiVideo> => {
    const { id } = request.params
    const { videos = [] } = await requireOwnJob(engine, request, id)
    const isRemoved = await engine.remove(id)
    if (!isRemoved) await engine.cancel(id)
    const names = isRemoved ? videos.flatMap(({ url }) => /^\/files\/(.+)$/.exec(url)?.[1] ?? []) : []
    for (const name of names) await files.remove(name)
    return { id, object: 'video.deleted', deleted: isRemoved }
  },
}
