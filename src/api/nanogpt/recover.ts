import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import type { JobView } from '../../jobs/job.ts'
import type { ApiDeps } from '../deps.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { toJobFailure } from './job-failure.ts'
import type { RecoverResponse } from './schemas.ts'
import { toIsoTime, toOutput } from './status-body.ts'
import { mapStatus } from './status-mapping.ts'

const defaultLimit = 10
const maxLimit = 50

/** The caller's jobs, newest first: how a client finds one whose submit answer it lost. */
export async function recoverJobs(
  { engine, config }: ApiDeps,
  request: FastifyRequest,
): Promise<RecoverResponse> {
  const { query, owner } = request
  const model = text(query, 'model') ?? text(query, 'modelSlug')
  const conversationUUID = text(query, 'conversationUUID') ?? text(query, 'conversation_uuid')
  const page = await engine.list({
    owner,
    limit: parseLimit(text(query, 'limit')),
    ...(model !== undefined && { model }),
    ...(conversationUUID !== undefined && { conversationUUID }),
  })
  const baseUrl = resolveBaseUrl(request, config.publicUrl)
  return { data: (page?.views ?? []).map((view) => toRecoveredJob(view, baseUrl)) }
}

function parseLimit(limitText: string | undefined): number {
  const limit = Math.trunc(Number(limitText ?? defaultLimit))
  return Number.isNaN(limit) ? defaultLimit : Math.min(Math.max(limit, 1), maxLimit)
}

function toRecoveredJob(view: JobView, baseUrl: string): RecoverResponse['data'][number] {
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
