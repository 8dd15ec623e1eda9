import type { Static } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { JobView } from '../../jobs/job.ts'
import type { ApiDeps } from '../deps.ts'
import { resolveBaseUrl, toAbsoluteUrl } from '../requests/base-url.ts'
import { toJobFailure } from '../responses/job-failure.ts'
import { toIsoTime, toPublicState } from '../responses/job-fields.ts'
import type { JobResponse } from './schemas.ts'

/** A job, with links to its videos as the caller reaches the gateway. */
export function toJobResponse(
  { config }: Pick<ApiDeps, 'config'>,
  request: FastifyRequest,
  view: JobView,
): Static<typeof JobResponse> {
  const baseUrl = resolveBaseUrl(request, config.publicUrl)
  const failure = toJobFailure(view)
  return {
    id: view.id,
    object: 'job',
    model: view.model,
    state: toPublicState(view),
    progress: view.progress,
    createdAt: toIsoTime(view.createdAt),
    completedAt: view.completedAt === undefined ? null : toIsoTime(view.completedAt),
    expectedAt: view.expectedAt === undefined ? null : toIsoTime(view.expectedAt),
    costUsd: view.costUsd,
    videos: (view.videos ?? []).map(({ url, thumbnailUrl }) => ({
      url: toAbsoluteUrl(baseUrl, url),
      ...(thumbnailUrl !== undefined && { thumbnailUrl: toAbsoluteUrl(baseUrl, thumbnailUrl) }),
    })),
    error: failure === undefined ? null : { code: failure.code, message: failure.message },
    conversationUUID: view.conversationUUID ?? null,
    ...(view.sandbox === true && { sandbox: true }),
  }
}
