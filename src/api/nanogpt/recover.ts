import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import type { View } from '../../engine/job.ts'
import type { AppParts } from '../parts.ts'
import { failureOf } from './failure.ts'
import { addressOf } from './links.ts'
import type { Recovered } from './schemas.ts'
import { outputOf, timeOf } from './status.ts'
import { wordsOf } from './words.ts'

const usualLimit = 10
const largestLimit = 50

/** The caller's jobs, newest first: how a client finds one whose submit answer it lost. */
export async function recover({ engine, config }: AppParts, request: FastifyRequest): Promise<Recovered> {
  const { query, owner } = request
  const model = text(query, 'model') ?? text(query, 'modelSlug')
  const conversationUUID = text(query, 'conversationUUID') ?? text(query, 'conversation_uuid')
  const page = await engine.list({
    owner,
    limit: limitOf(text(query, 'limit')),
    ...(model !== undefined && { model }),
    ...(conversationUUID !== undefined && { conversationUUID }),
  })
  const address = addressOf(request, config.publicUrl)
  return { data: (page?.views ?? []).map((view) => entryOf(view, address)) }
}

function limitOf(asked: string | undefined): number {
  const limit = Math.trunc(Number(asked ?? usualLimit))
  return Number.isNaN(limit) ? usualLimit : Math.min(Math.max(limit, 1), largestLimit)
}

function entryOf(view: View, address: string): Recovered['data'][number] {
  const output = outputOf(view, address)
  return {
    runId: view.id,
    id: view.id,
    model: view.model,
    status: wordsOf(view).recover,
    createdAt: timeOf(view.createdAt),
    conversationUUID: view.conversationUUID ?? null,
    completedAt: view.completedAt === undefined ? null : timeOf(view.completedAt),
    videoUrl: output?.url ?? null,
    error: failureOf(view)?.message ?? null,
    ...(output !== undefined && { cost: view.costUsd }),
  }
}
