import { type Static, Type } from '@sinclair/typebox'
import { text } from '../../../providers/reader.ts'
import type { JobView } from '../../jobs/job.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { lenientIntegerParameter, querySchema, textParameter } from '../requests/query.ts'
import { toJobFailure } from '../responses/job-failure.ts'
import { toIsoTime } from '../responses/job-fields.ts'
import { Nullable } from '../responses/nullable.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { otherFieldsAllowed } from './schemas.ts'
import { toOutput } from './status-body.ts'
import { mapStatus } from './status-mapping.ts'

const recoverQuery = querySchema({
  model: textParameter(),
  conversationUUID: textParameter(),
  limit: lenientIntegerParameter({ minimum: 1, maximum: 50, default: 10 }),
})

const RecoveredJob = Type.Object(
  {
    runId: Type.String(),
    id: Type.String(),
    model: Type.String(),
    status: Type.String(),
    createdAt: Type.String(),
    conversationUUID: Nullable(Type.String()),
    completedAt: Nullable(Type.String()),
    videoUrl: Nullable(Type.String()),
    error: Nullable(Type.String()),
    cost: Type.Optional(Type.Number()),
  },
  otherFieldsAllowed,
)

/** The caller's jobs, newest first: how a client finds a job whose submit response it lost. */
export const recoverVideos: RouteDefinition<{ query: typeof recoverQuery }> = {
  method: 'GET',
  path: '/generate-video/recover',
  docs: {
    id: 'recoverVideos',
    tag: 'Videos',
    summary: 'Find jobs whose submit response was lost',
    errorStatuses: [429],
  },
  query: recoverQuery,
  response: Type.Object({ data: Type.Array(RecoveredJob) }, otherFieldsAllowed),
  rateLimit: 'recover',
  respond: async ({ engine, config }, request) => {
    const { query, owner } = request
    const model = query.model ?? text(query, 'modelSlug')
    const conversationUUID = query.conversationUUID ?? text(query, 'conversation_uuid')
    const page = await engine.list({
      owner,
      limit: query.limit,
      ...(model !== undefined && { model }),
      ...(conversationUUID !== undefined && { conversationUUID }),
    })
    const baseUrl = resolveBaseUrl(request, config.publicUrl)
    return { data: (page?.views ?? []).map((view) => toRecoveredJob(view, baseUrl)) }
  },
}

function toRecoveredJob(view: JobView, baseUrl: string): Static<typeof RecoveredJob> {
  const output = toOutput(view, baseUrl)
  return {
    runId: view.id,
    id: view.id,
    model: view.model,
    status: mapStatus(view).recover,
    createdAt: toIsoTime(view.createdAt),
    conversationUUID: view.conversationUUID ?? null,
    completedAt: view.completedAt === undefined ? null : toIsoTime(view.completedAt),
    videoUrl: output?.url ?? null,
    error: toJobFailure(view)?.message ?? null,
    ...(output !== undefined && { cost: view.costUsd }),
  }
}
