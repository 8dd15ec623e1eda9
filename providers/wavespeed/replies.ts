import { isDeepStrictEqual } from 'node:util'
import { fault } from '../faults.ts'
import type { JsonObject } from '../input.ts'
import { resolveEndpoint } from '../models.ts'
import type { EndpointMapping, Order, Outcome, Reply, TaskCandidates, TaskReference } from '../provider.ts'
import { at, link, list, text } from '../reader.ts'
import { accepted, completed, failed, outcomeOf, type TaskStatus, taskUnknown, unclear } from '../replies.ts'
import { isEnvelope, statusOf, toWavespeedFault, toWavespeedTaskFault } from './faults.ts'

const upstream = 'WaveSpeed'

const statuses: Readonly<Record<string, TaskStatus>> = {
  created: 'queued',
  pending: 'queued',
  queued: 'queued',
  completed: 'done',
  failed: 'failed',
  cancelled: 'canceled',
  deleted: 'canceled',
  timeout: 'timeout',
}

export function parseWavespeedSubmission(reply: Reply): Outcome {
  const id = text(reply.body, 'data', 'id')
  const ticket = id === undefined ? undefined : { id }
  const outcome = accepted(
    { ...reply, status: statusOf(reply) },
    { upstream, ticket, explain: toWavespeedFault },
  )
  if (outcome.kind !== 'running') return outcome
  const task = outcomeOfPrediction(at(reply.body, 'data'), outcome.ticket)
  return task.kind === 'running' ? task : { ...outcome, stage: 'processing', now: true }
}

export function parseWavespeedTask(reply: Reply, ticket: TaskReference): Outcome {
  const prediction = at(reply.body, 'data')
  if (text(prediction, 'status') !== undefined) return outcomeOfPrediction(prediction, ticket)
  const status = statusOf(reply)
  if (status === 404 && isEnvelope(reply)) return taskUnknown(upstream)
  if (status >= 300) return { kind: 'unclear', fault: toWavespeedFault(reply) }
  return unclear('unreadable_reply', 'WaveSpeed answered a poll without a status')
}

/** The listed tasks with exactly our inputs. */
export function parseWavespeedSearch(
  reply: Reply,
  order: Order,
  mapping: EndpointMapping,
): Outcome | TaskCandidates {
  if (statusOf(reply) >= 300) return { kind: 'unclear', fault: toWavespeedFault(reply) }
  if (!Array.isArray(at(reply.body, 'data', 'items'))) {
    return unclear('unreadable_reply', 'WaveSpeed answered a search without a list')
  }
  const { body } = resolveEndpoint(mapping, order.input)
  const tasks = list(reply.body, 'data', 'items').flatMap((item) => {
    const id = text(item, 'id')
    if (id === undefined || !hasInputs(item, body)) return []
    return [{ ticket: { id }, outcome: outcomeOfPrediction(item, { id }) }]
  })
  return { kind: 'candidates', tasks, same: true }
}

export function parseWavespeedUpload(reply: Reply) {
  const url = link(reply.body, 'data', 'download_url')
  if (statusOf(reply) >= 300) return { kind: 'failed', fault: toWavespeedFault(reply) } as const
  if (url !== undefined) return { kind: 'uploaded', url } as const
  const reason = fault('unreadable_reply', 'WaveSpeed answered an upload without a link')
  return { kind: 'failed', fault: reason } as const
}

function outcomeOfPrediction(prediction: unknown, ticket: TaskReference): Outcome {
  const status = text(prediction, 'status') ?? ''
  const error = text(prediction, 'error')
  if (status === 'timeout' && error !== undefined) return failed('timeout', error)
  return outcomeOf(statuses[status], {
    upstream,
    ticket,
    result: () => resultOf(prediction),
    reason: () => toWavespeedTaskFault(prediction),
  })
}

function resultOf(prediction: unknown): Outcome {
  const links = list(prediction, 'outputs').map((output) => link(output))
  const url = links.find((output) => output !== undefined)
  if (url === undefined && list(prediction, 'has_nsfw_contents').includes(true)) {
    return failed('content_policy', 'WaveSpeed flagged the result as NSFW')
  }
  return completed(upstream, url)
}

// An item may hold more than was sent: the upstream's own defaults.
function hasInputs(item: unknown, body: JsonObject): boolean {
  const inputs = at(item, 'inputs') ?? at(item, 'input')
  return Object.entries(body).every(([name, value]) => isDeepStrictEqual(at(inputs, name), value))
}
