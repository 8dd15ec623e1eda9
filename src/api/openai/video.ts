import type { Input } from '../../../providers/input.ts'
import type { State, View } from '../../engine/job.ts'
import { failureOf } from '../nanogpt/failure.ts'
import type { Video } from './schemas.ts'
import { secondsOf, sizeOf } from './size.ts'
import { modelName } from './words.ts'

/** A job as the OpenAI Videos API tells it; times are unix seconds. `keptMs`: how long finished videos are kept. */
export function videoOf(view: View, input: Input, keptMs: number | undefined): Video {
  const failure = failureOf(view)
  const kept = view.state === 'succeeded' && keptMs !== undefined
  return {
    id: view.id,
    object: 'video',
    model: modelName(view.model, input.pro_mode),
    status: statuses[view.state],
    progress: view.progress,
    created_at: secondsAt(view.createdAt),
    completed_at: view.completedAt === undefined ? null : secondsAt(view.completedAt),
    expires_at: kept ? secondsAt((view.completedAt ?? view.createdAt) + keptMs) : null,
    size: sizeOf(input),
    seconds: secondsOf(view.model, input),
    prompt: input.prompt ?? input.script ?? null,
    error: failure === undefined ? null : { code: codeOf(failure.code), message: failure.message },
    remixed_from_video_id: view.remixedFrom ?? null,
    ...(view.sandbox === true && { sandbox: true }),
  }
}

const statuses: Readonly<Record<State, Video['status']>> = {
  pending: 'queued',
  submitting: 'queued',
  queued: 'queued',
  processing: 'in_progress',
  generating: 'in_progress',
  delivering: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  canceled: 'failed',
}

/** That API's clients know a content refusal by this word. */
function codeOf(code: string): string {
  return code === 'content_policy' ? 'moderation_blocked' : code
}

function secondsAt(unixMs: number): number {
  return Math.floor(unixMs / 1000)
}
