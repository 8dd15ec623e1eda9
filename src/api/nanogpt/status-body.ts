import type { JobView } from '../../jobs/job.ts'
import { isTerminal } from '../../jobs/job.ts'
import { toAbsoluteUrl } from '../requests/base-url.ts'
import { toJobFailure } from '../responses/job-failure.ts'
import { toIsoTime, toPublicState } from '../responses/job-fields.ts'
import type { StatusResponse } from './schemas.ts'
import { type Dialect, mapStatus } from './status-mapping.ts'

/** `now` is a Unix time in milliseconds. */
export type StatusOptions = { dialect: Dialect; baseUrl: string; now: number }

/** One status body for every documented version of the API; the dialect changes only `status` and `error`. */
export function buildStatusBody(view: JobView, { dialect, baseUrl, now }: StatusOptions): StatusResponse {
  const { id, model } = view
  const statuses = mapStatus(view)
  const failure = toJobFailure(view)
  const output = toOutput(view, baseUrl)
  const progressFields = {
    progress: view.progress,
    estimatedTimeRemaining: secondsLeft(view, now),
  }
  const outcomeFields = {
    ...(output !== undefined && { cost: view.costUsd }),
    ...(failure !== undefined && { userFriendlyError: failure.message }),
    ...(failure?.isContentRefusal === true && { isNSFWError: true }),
  }
  return {
    requestId: id,
    runId: id,
    id,
    model,
    status: statuses[dialect],
    stage: toPublicState(view),
    ...progressFields,
    videoUrl: output?.url ?? null,
    error: dialect === 'seed' ? toErrorObject(failure) : (failure?.message ?? null),
    createdAt: toIsoTime(view.createdAt),
    completedAt: view.completedAt === undefined ? null : toIsoTime(view.completedAt),
    paymentSource: 'USD',
    ...(output !== undefined && { output: { video: output.video } }),
    ...outcomeFields,
    ...(view.sandbox === true && { sandbox: true }),
    data: {
      status: statuses.nested,
      requestId: id,
      request_id: id,
      runId: id,
      projectId: id,
      model,
      output: output ?? null,
      isCompleted: isTerminal(view.state),
      isSuccess: view.state === 'succeeded',
      ...progressFields,
      error: failure?.message ?? null,
      ...outcomeFields,
    },
  }
}

/** The last text of each view, split where the remaining time is inserted. */
const renderedTexts = new WeakMap<JobView, { dialect: Dialect; baseUrl: string; pieces: readonly string[] }>()

/** Inside a JSON string the quotes would be escaped, so the pattern matches nothing else. */
const timeLeftPattern = /(?<="estimatedTimeRemaining":)\d+/

/** The serialized status body, cached: clients poll often, and between two changes of a job only the remaining time differs. */
export function renderStatus(
  view: JobView,
  options: StatusOptions,
  serialize: (body: StatusResponse) => string,
): string {
  const { dialect, baseUrl, now } = options
  const lastText = renderedTexts.get(view)
  if (lastText?.dialect === dialect && lastText.baseUrl === baseUrl)
    return lastText.pieces.join(`${secondsLeft(view, now)}`)
  const text = serialize(buildStatusBody(view, options))
  renderedTexts.set(view, { dialect, baseUrl, pieces: text.split(timeLeftPattern) })
  return text
}

/** The result's links; absent until the job has succeeded. */
export function toOutput({ state, videos }: JobView, baseUrl: string) {
  const [first, ...others] = videos ?? []
  if (state !== 'succeeded' || first === undefined) return undefined
  const urls = [first, ...others].map((video) => toAbsoluteUrl(baseUrl, video.url))
  const url = toAbsoluteUrl(baseUrl, first.url)
  return {
    video: { url },
    url,
    videoUrl: url,
    videos: urls.map((videoUrl) => ({ url: videoUrl })),
    videoUrls: urls,
    ...(first.thumbnailUrl !== undefined && { thumbnailUrl: toAbsoluteUrl(baseUrl, first.thumbnailUrl) }),
  }
}

function secondsLeft({ state, expectedAt }: JobView, now: number): number | null {
  if (isTerminal(state) || expectedAt === undefined) return null
  return Math.max(0, Math.ceil((expectedAt - now) / 1000))
}

function toErrorObject(failure: ReturnType<typeof toJobFailure>) {
  if (failure === undefined) return null
  const { message, type, code } = failure
  return { message, type, code }
}
