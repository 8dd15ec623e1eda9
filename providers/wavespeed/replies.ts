import { fault } from '../fault.ts'
import type { Outcome, Ticket } from '../provider.ts'
import { link, list, text } from '../reader.ts'
import { explainTask } from './faults.ts'

/** What a prediction says of itself. A word that we do not know reads as still at work. */
export function judge(prediction: unknown, ticket: Ticket): Outcome {
  switch (text(prediction, 'status')) {
    case 'created':
    case 'pending':
    case 'queued':
      return { kind: 'running', ticket, stage: 'queued' }
    case 'completed':
      return finished(prediction)
    case 'failed':
      return { kind: 'failed', fault: explainTask(prediction) }
    case 'cancelled':
    case 'deleted':
      return { kind: 'failed', fault: fault('canceled', 'The task was canceled at WaveSpeed') }
    case 'timeout':
      return {
        kind: 'failed',
        fault: fault('timeout', text(prediction, 'error') ?? 'WaveSpeed gave the task up'),
      }
    default:
      return { kind: 'running', ticket, stage: 'processing' }
  }
}

function finished(prediction: unknown): Outcome {
  const url = list(prediction, 'outputs')
    .map((output) => link(output))
    .find((output) => output !== undefined)
  if (url !== undefined) return { kind: 'done', videos: [{ url }] }
  if (list(prediction, 'has_nsfw_contents').includes(true)) {
    return { kind: 'failed', fault: fault('content_policy', 'WaveSpeed flagged the result as NSFW') }
  }
  return { kind: 'failed', fault: fault('no_result', 'WaveSpeed completed the task without a video') }
}
