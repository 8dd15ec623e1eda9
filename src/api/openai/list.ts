import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { ApiError } from '../errors.ts'
import { checkId } from '../input-limits.ts'
import { readLimit } from '../paging.ts'
import type { AppParts } from '../parts.ts'
import type { Videos } from './schemas.ts'
import { videoOf } from './video.ts'

/** One page of the caller's jobs, newest first unless `order=asc`. */
export async function list(
  { engine, config }: AppParts,
  { owner, query, server }: FastifyRequest,
): Promise<Videos> {
  const after = text(query, 'after')
  if (after !== undefined) checkId(after, 'after', server.textLimits)
  const page = await engine.list({
    owner,
    limit: readLimit(query),
    oldestFirst: orderOf(text(query, 'order')) === 'asc',
    ...(after !== undefined && { after }),
  })
  if (page === undefined) {
    throw new ApiError('invalid_parameter_value', '`after` names no video of yours', { param: 'after' })
  }
  const inputs = await Promise.all(page.views.map(({ id }) => engine.asked(id)))
  const videos = page.views.map((view, index) => videoOf(view, inputs[index] ?? {}, config.resultsKeptMs))
  return {
    object: 'list',
    data: videos,
    first_id: videos[0]?.id ?? null,
    last_id: page.next ?? videos.at(-1)?.id ?? null,
    has_more: page.next !== undefined,
  }
}

function orderOf(asked = 'desc'): 'asc' | 'desc' {
  if (asked === 'asc' || asked === 'desc') return asked
  throw new ApiError('invalid_parameter_value', '`order` must be one of asc, desc', { param: 'order' })
}
