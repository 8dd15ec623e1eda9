import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { checkId } from '../requests/input-limits.ts'
import { pageLimitParameter, parseQuery, querySchema } from '../requests/query.ts'
import { toOpenaiVideo } from './openai-video.ts'
import type { OpenaiVideoList } from './schemas.ts'

/** One page of the caller's jobs, newest first unless `order=asc`. */
export async function listVideos(
  { engine, config }: ApiDeps,
  { owner, query, server }: FastifyRequest,
): Promise<OpenaiVideoList> {
  const after = text(query, 'after')
  if (after !== undefined) checkId(after, 'after', server.textLimits)
  const page = await engine.list({
    owner,
    limit: parseQuery(querySchema({ limit: pageLimitParameter }), query).limit,
    oldestFirst: readOrder(text(query, 'order')) === 'asc',
    ...(after !== undefined && { after }),
  })
  if (page === undefined) {
    throw new ApiError('invalid_parameter_value', '`after` names no video of yours', { param: 'after' })
  }
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
}

function readOrder(order = 'desc'): 'asc' | 'desc' {
  if (order === 'asc' || order === 'desc') return order
  throw new ApiError('invalid_parameter_value', '`order` must be one of asc, desc', { param: 'order' })
}
