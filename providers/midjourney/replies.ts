import type { Order, Outcome, Reply, Stage, TaskReference, Video } from '../provider.ts'
import { at, link, list, number, text } from '../reader.ts'
import { completed, failed, rejected, running, taskUnknown, unclear } from '../replies.ts'
import {
  isMidjourneyErrorCode,
  toMidjourneyFault,
  toMidjourneyPollFault,
  toMidjourneyTaskFault,
} from './faults.ts'

const upstream = 'The proxy'

/** In upper case; relays have statuses of their own. */
const stages: Readonly<Record<string, Stage>> = {
  '': 'queued',
  NOT_START: 'queued',
  SUBMITTED: 'queued',
  PENDING: 'queued',
  IN_PROGRESS: 'processing',
  MODAL: 'processing',
  RUNNING: 'processing',
}

export function parseMidjourneySubmission(reply: Reply, order: Order): Outcome {
  const code = number(reply.body, 'code')
  const id = idOf(at(reply.body, 'result'))
  const isOk = reply.status < 300
  if (isOk && id !== undefined && (code === 1 || code === 21 || code === 22)) return running({ id }, 'queued')
  if (isOk && (code === undefined || !isMidjourneyErrorCode(code)))
    return unclear('unreadable_reply', `${upstream} answered a submission without a task ID`)
  const reason = toMidjourneyFault(reply, order)
  return isOk ? { kind: 'failed', fault: reason } : rejected(reply, reason)
}

/** The record of a task, as the fetch route and the callback show it. */
export function parseMidjourneyTask(reply: Reply, ticket: TaskReference): Outcome {
  const { status, body } = reply
  if (status === 404 || (status < 300 && (body === null || body === ''))) return taskUnknown(upstream)
  if (status >= 300) return { kind: 'unclear', fault: toMidjourneyPollFault(reply) }
  const word = at(body, 'status')
  if (typeof word !== 'string')
    return unclear('unreadable_reply', `${upstream} answered without a task status`)
  const taskStatus = word.toUpperCase()
  if (taskStatus === 'SUCCESS') return resultOf(body)
  if (taskStatus === 'FAILURE' || taskStatus === 'FAILED')
    return { kind: 'failed', fault: toMidjourneyTaskFault(body) }
  if (/^CANCELL?(ED)?$/.test(taskStatus)) return failed('canceled', 'The task was canceled')
  const stage = stages[taskStatus]
  if (stage === undefined)
    return unclear('unreadable_reply', `${upstream} answered an unknown task status: ${word.slice(0, 40)}`)
  const progress = percent(at(body, 'progress'))
  return { kind: 'running', ticket, stage, ...(progress !== undefined && { progress }) }
}

function idOf(result: unknown): string | undefined {
  return typeof result === 'number' ? String(result) : text(result)
}

function resultOf(body: unknown): Outcome {
  const [first, ...others] = clips(body)
  if (first === undefined) return completed(upstream, undefined)
  return { kind: 'done', videos: [first, ...others] }
}

/** All clips of the batch; relays name the list differently, or return the first clip only. */
function clips(body: unknown): readonly Video[] {
  const batch = [at(body, 'videoUrls'), at(body, 'video_urls')].map(clipList).find((list) => list.length > 0)
  if (batch !== undefined) return batch
  const preview = link(body, 'imageUrl') ?? link(body, 'image_url')
  const single = link(body, 'videoUrl') ?? link(body, 'video_url') ?? (isMp4(preview) ? preview : undefined)
  return single === undefined ? [] : [{ url: single }]
}

function clipList(value: unknown): readonly Video[] {
  return list(typeof value === 'string' ? parsed(value) : value).flatMap((item) => {
    const url = link(item) ?? link(item, 'url')
    const thumbnailUrl = link(item, 'thumbnail')
    return url === undefined ? [] : [{ url, ...(thumbnailUrl !== undefined && { thumbnailUrl }) }]
  })
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function isMp4(url: string | undefined): url is string {
  return url !== undefined && /\.mp4$/i.test(new URL(url).pathname)
}

function percent(progress: unknown): number | undefined {
  const percentage =
    typeof progress === 'string' ? /^(\d+(?:\.\d+)?)\s*%?$/.exec(progress)?.[1] : number(progress)
  return percentage === undefined ? undefined : Math.min(Math.max(Number(percentage), 0), 100)
}
