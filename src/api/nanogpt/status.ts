import type { View } from '../../engine/job.ts'
import { isTerminal } from '../../engine/job.ts'
import { failureOf } from './failure.ts'
import { absolute } from './links.ts'
import type { Status } from './schemas.ts'
import { type Dialect, stageOf, wordsOf } from './words.ts'

/** For whom a job is told, and when. */
export type Telling = { dialect: Dialect; address: string; now: number }

/** The status body that satisfies every published version at once; the dialect changes `status` and `error` only. */
export function statusBody(view: View, { dialect, address, now }: Telling): Status {
  const { id, model } = view
  const words = wordsOf(view)
  const failure = failureOf(view)
  const output = outputOf(view, address)
  const pace = {
    progress: view.progress,
    estimatedTimeRemaining: secondsLeft(view, now),
  }
  const ending = {
    ...(output !== undefined && { cost: view.costUsd }),
    ...(failure !== undefined && { userFriendlyError: failure.message }),
    ...(failure?.refused === true && { isNSFWError: true }),
  }
  return {
    requestId: id,
    runId: id,
    id,
    model,
    status: words[dialect],
    stage: stageOf(view),
    ...pace,
    videoUrl: output?.url ?? null,
    error: dialect === 'seed' ? errorObject(failure) : (failure?.message ?? null),
    createdAt: timeOf(view.createdAt),
    completedAt: view.completedAt === undefined ? null : timeOf(view.completedAt),
    paymentSource: 'USD',
    ...(output !== undefined && { output: { video: output.video } }),
    ...ending,
    ...(view.sandbox === true && { sandbox: true }),
    data: {
      status: words.nested,
      requestId: id,
      request_id: id,
      runId: id,
      projectId: id,
      model,
      output: output ?? null,
      isCompleted: isTerminal(view.state),
      isSuccess: view.state === 'succeeded',
      ...pace,
      error: failure?.message ?? null,
      ...ending,
    },
  }
}

/** How each view was told last, cut where the time left stands. */
const told = new WeakMap<View, { dialect: Dialect; address: string; pieces: readonly string[] }>()

/** Inside a text of ours the quotes would be escaped, so nothing else looks like this. */
const timeLeft = /(?<="estimatedTimeRemaining":)\d+/

/** The same as `write` makes of `statusBody`. Clients ask all the time, and between two changes only the time left is another. */
export function statusText(view: View, telling: Telling, write: (body: Status) => string): string {
  const { dialect, address, now } = telling
  const last = told.get(view)
  if (last?.dialect === dialect && last.address === address)
    return last.pieces.join(`${secondsLeft(view, now)}`)
  const text = write(statusBody(view, telling))
  told.set(view, { dialect, address, pieces: text.split(timeLeft) })
  return text
}

/** The result's links; absent until the job has succeeded. */
export function outputOf({ state, videos }: View, address: string) {
  const [first, ...others] = videos ?? []
  if (state !== 'succeeded' || first === undefined) return undefined
  const urls = [first, ...others].map((video) => absolute(address, video.url))
  const url = absolute(address, first.url)
  return {
    video: { url },
    url,
    videoUrl: url,
    videos: urls.map((one) => ({ url: one })),
    videoUrls: urls,
    ...(first.thumbnailUrl !== undefined && { thumbnailUrl: absolute(address, first.thumbnailUrl) }),
  }
}

/** ISO 8601 in UTC with milliseconds. */
export function timeOf(unixMs: number): string {
  return new Date(unixMs).toISOString()
}

function secondsLeft({ state, expectedAt }: View, now: number): number | null {
  if (isTerminal(state) || expectedAt === undefined) return null
  return Math.max(0, Math.ceil((expectedAt - now) / 1000))
}

function errorObject(failure: ReturnType<typeof failureOf>) {
  if (failure === undefined) return null
  const { message, type, code } = failure
  return { message, type, code }
}
