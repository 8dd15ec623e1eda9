import { type Fault, type FaultCode, fault, speaksOfPolicy } from '../fault.ts'
import { type Outcome, type Reply, type Stage, statusFault, type Ticket, type Video } from '../provider.ts'
import { at, link, list, number, text } from '../reader.ts'

/** Upper-cased word -> stage; relays have words of their own. */
const stages: Readonly<Record<string, Stage>> = {
  '': 'queued',
  NOT_START: 'queued',
  SUBMITTED: 'queued',
  PENDING: 'queued',
  IN_PROGRESS: 'processing',
  MODAL: 'processing',
  RUNNING: 'processing',
}

/** What a task's record says, as the fetch route and the hook show it. */
export function readTask(reply: Reply, ticket: Ticket): Outcome {
  const { status, body } = reply
  if (status === 404 || (status < 300 && (body === null || body === '')))
    return unclear('task_lost', 'The proxy does not know the task')
  if (status >= 300)
    return {
      kind: 'unclear',
      fault: statusFault(reply, spoken(body) ?? `The proxy answered with HTTP ${status}`),
    }
  const told = at(body, 'status')
  if (typeof told !== 'string') return unclear('unreadable_reply', 'The proxy answered without a task status')
  const word = told.toUpperCase()
  if (word === 'SUCCESS') return success(body)
  if (word === 'FAILURE' || word === 'FAILED') return { kind: 'failed', fault: failure(body) }
  if (/^CANCELL?(ED)?$/.test(word))
    return { kind: 'failed', fault: fault('canceled', 'The task was canceled') }
  const stage = stages[word]
  if (stage === undefined)
    return unclear('unreadable_reply', `The proxy told an unknown status: ${told.slice(0, 40)}`)
  const progress = percent(at(body, 'progress'))
  return { kind: 'running', ticket, stage, ...(progress !== undefined && { progress }) }
}

/** The proxy's words about a refusal. */
export function spoken(body: unknown): string | undefined {
  return (
    text(body, 'description') ??
    text(body, 'message') ??
    text(body, 'error', 'message') ??
    text(body, 'error')
  )
}

export function contentRefusal(said: string): Fault {
  const clear = /policy|nsfw|safety|moderation|flagged/i.test(said)
  return fault('content_policy', clear ? said : `Content policy: ${said}`)
}

function success(body: unknown): Outcome {
  const [first, ...others] = clips(body)
  if (first !== undefined) return { kind: 'done', videos: [first, ...others] }
  return { kind: 'failed', fault: fault('no_result', 'The task succeeded without a video') }
}

function failure(body: unknown): Fault {
  const said = text(body, 'failReason') ?? text(body, 'fail_reason') ?? 'The task failed without a reason'
  if (speaksOfPolicy(said)) return contentRefusal(said)
  // The proxy files a cancel under FAILURE, in the language that it is set to.
  return fault(/cancel|取消/i.test(said) ? 'canceled' : 'upstream_error', said)
}

/** All clips of the batch; relays spell the list differently, or give the first one only. */
function clips(body: unknown): readonly Video[] {
  const batch = [at(body, 'videoUrls'), at(body, 'video_urls')]
    .map(clipList)
    .find((found) => found.length > 0)
  if (batch !== undefined) return batch
  const preview = link(body, 'imageUrl') ?? link(body, 'image_url')
  const only = link(body, 'videoUrl') ?? link(body, 'video_url') ?? (isMp4(preview) ? preview : undefined)
  return only === undefined ? [] : [{ url: only }]
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
  const told = typeof progress === 'string' ? /^(\d+(?:\.\d+)?)\s*%?$/.exec(progress)?.[1] : number(progress)
  return told === undefined ? undefined : Math.min(Math.max(Number(told), 0), 100)
}

function unclear(code: FaultCode, message: string): Outcome {
  return { kind: 'unclear', fault: fault(code, message) }
}
