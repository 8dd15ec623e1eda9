import type { Input } from '../../../providers/input.ts'
import type { JobState, JobView } from '../../jobs/job.ts'
import { toJobFailure } from '../responses/job-failure.ts'
import { toOpenaiModelName } from './from-openai.ts'
import type { OpenaiVideo } from './schemas.ts'
import { secondsOfInput, sizeOfInput } from './size.ts'

/** A job as the OpenAI Videos API tells it; times are unix seconds. `keptMs`: how long finished videos are kept. */
export function toOpenaiVideo(view: JobView, input: Input, keptMs: number | undefined): OpenaiVideo {
  const failure = toJobFailure(view)
  const isKept = view.state === 'succeeded' && keptMs !== undefined
  return {
    id: view.id,
    object: 'video',
    model: toOpenaiModelName(view.model, input.pro_mode),
    status: statusByState[view.state],
    progress: view.progress,
    created_at: toUnixSeconds(view.createdAt),
    completed_at: view.completedAt === undefined ? null : toUnixSeconds(view.completedAt),
    expires_at: isKept ? toUnixSeconds((view.completedAt ?? view.createdAt) + keptMs) : null,
    size: sizeOfInput(input),
    seconds: secondsOfInput(view.model, input),
    prompt: input.prompt ?? input.script ?? null,
    error: failure === undefined ? null : { code: toOpenaiCode(failure.code), message: failure.message },
    remixed_from_video_id: view.remixedFrom ?? null,
    ...(view.sandbox === true && { sandbox: true }),
  }
}

const statusByState: Readonly<Record<JobState, OpenaiVideo['status']>> = {
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
function toOpenaiCode(code: string): string {
  return code === 'content_policy' ? 'moderation_blocked' : code
}

function toUnixSeconds(unixMs: number): number {
  return Math.floor(unixMs / 1000)
}
