import { ApiError } from '../errors.ts'
import { checkId } from '../requests/input-limits.ts'
import { defineParameter, pageLimitParameter, querySchema, textParameter } from '../requests/query.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { toOpenaiVideo } from './openai-video.ts'
import { OpenaiVideoList } from './schemas.ts'

const orderParameter = defineParameter(
  { type: 'string', enum: ['asc', 'desc'], default: 'desc' },
  (order = 'desc') => {
    if (order === 'asc' || order === 'desc') return order
    throw new ApiError('invalid_parameter_value', '`order` must be one of asc, desc', { param: 'order' })
  },
)

const videosQuery = querySchema({
  limit: pageLimitParameter,
  after: textParameter(),
  order: orderParameter,
})

/** One page of the caller's jobs, newest first unless `order=asc`. */
export const listVideos: RouteDefinition<{ query: typeof videosQuery }> = {
  method: 'GET',
  path: '/videos',
  docs: { id: 'listVideos', tag: 'OpenAI Videos', summary: 'The jobs of a key', hasOpenaiErrors: true },
  query: videosQuery,
  response: OpenaiVideoList,
  respond: async ({ engine, config }, { owner, query, server }): Promise<OpenaiVideoList> => {
    const { limit, after, order } = query
    if (after !== undefined) checkId(after, 'after', server.textLimits)
    const page = await engine.list({
      owner,
      limit,
      oldestFirst: order === 'asc',
      ...(after !== undefined && { after }),
    })
    if (page === undefined)
      throw new ApiError('invalid_parameter_value', '`after` names no video of yours', { param: 'after' })
    const inputs = await Promise.all(page.views.map(({ id }) => engine.readInput(id)))
    const videos = page.views.map((view, index) =>
      toOpenaiVideo(view, inputs[index] ?? {}, config.resultsKeptMs),
    )
    return {
      object: 'list',
      data: videos,
      first_id: videos[0]?.id ?? null,
      last_id: page.next ?? videos.at(-1)?.id ?? null,
      has_more: page.next !== undefined,
    }
  },
}
