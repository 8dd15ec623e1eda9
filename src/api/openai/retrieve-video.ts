import { jobParams } from '../requests/job-id.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { readOwnVideo } from './read-own-video.ts'
import { OpenaiVideo } from './schemas.ts'

export const retrieveVideo: RouteDefinition<{ params: typeof jobParams }> = {
  method: 'GET',
  path: '/videos/:id',
  docs: {
    id: 'retrieveVideo',
    tag: 'OpenAI Videos',
    summary: 'Job status',
    errorStatuses: [403, 404],
    hasOpenaiErrors: true,
  },
  params: jobParams,
  response: OpenaiVideo,
  quiet: true,
  respond: (deps, request) => readOwnVideo(deps, request, request.params.id),
}
