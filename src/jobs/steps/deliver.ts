import { fault } from '../../../providers/faults.ts'
import type { Video } from '../../../providers/provider.ts'
import { LinkNotReady, LinkUseless } from '../../media/results/download.ts'
import { DownloadsBusy } from '../../media/results/download-slots.ts'
import { StorageUnavailable, toStorageUnavailable } from '../../media/storage/storage-fault.ts'
import { AddressRefused } from '../../net/safe-fetch.ts'
import { shorten } from '../../text/text-limits.ts'
import type { Job } from '../job.ts'
import { retryDelayMs } from '../poll-schedule.ts'
import { createSucceededTransition, createTransition, type NextStep } from '../store/transition.ts'
import { CancelRequested, startDeliveryLease } from './delivery-lease.ts'
import {
  deliveryEndsAt,
  deliveryLatenessMs,
  storageDelayMs,
  wasDeliveryTried,
  withWork,
} from './delivery-time.ts'
import type { StepDeps } from './deps.ts'
import { endJob } from './finish.ts'

/** Length of a storage error message in the record. */
const storeFaultMaxCharacters = 500
/** Maximum pause between two attempts while our storage fails. */
const maxStorageRetryMs = 60_000

/** Downloads the finished files. The job succeeds only when they are in the store. */
export async function deliverResult(deps: StepDeps, claimedJob: Job): Promise<NextStep> {
  const deliveringAt = claimedJob.work.deliveringAt ?? deps.now()
  const job = withWork(claimedJob, { deliveringAt, lateMs: deliveryLatenessMs(deps, claimedJob.work) })
  // The upstream finished before the cancel took effect: a result that is paid for and available is kept.
  const isCancelTooLate = job.work.cancelSentAt !== undefined && !wasDeliveryTried(job.work)
  if (job.cancelRequested && !isCancelTooLate) return endJob(deps, job, fault('canceled', 'canceled'))

  const fetchResult = await fetchResults(deps, job, !isCancelTooLate)
  if (fetchResult.kind === 'stored') return completeJob(deps, job, fetchResult)
  const { lateMs = 0 } = job.work
  return retryOrEnd(deps, withWork(job, { lateMs: lateMs + fetchResult.stoppedMs }), fetchResult.cause)
}

type FetchResult =
  | { kind: 'stored'; videos: readonly Video[]; seconds: number | undefined }
  | { kind: 'failed'; cause: unknown; stoppedMs: number }

async function fetchResults(deps: StepDeps, job: Job, watchCancel: boolean): Promise<FetchResult> {
  const endsAt = deliveryEndsAt(deps, job.work)
  const lease = startDeliveryLease(deps, job, { watchCancel, endsAt })
  try {
    const options = { signal: lease.signal, isRepeated: job.work.misses > 0 }
    const resultOwner = { id: job.view.id, secret: job.callbackSecret }
    const videos = await deps.storeResults(resultOwner, job.work.results ?? [], options)
    return { kind: 'stored', videos, seconds: await measureSeconds(deps, job, videos) }
  } catch (cause) {
    return { kind: 'failed', cause, stoppedMs: lease.stoppedMs() }
  } finally {
    lease.end()
  }
}

async function completeJob(deps: StepDeps, job: Job, { videos, seconds }: FetchResult & { kind: 'stored' }) {
  const finishedJob = withWork(job, { storeFault: undefined })
  await deps.store.write(job, createSucceededTransition(finishedJob, videos, deps.now(), seconds))
  return { kind: 'end' } as const
}

function retryOrEnd(deps: StepDeps, job: Job, cause: unknown): Promise<NextStep> {
  if (cause instanceof CancelRequested) return endJob(deps, job, fault('canceled', 'canceled'))
  if (cause instanceof DownloadsBusy) return waitForDownloadSlot(deps, job, cause)
  if (isLinkFault(cause)) return retryDownload(deps, job, cause)
  // A bug of this gateway is treated like a full disk: it is not the upstream's fault.
  return waitForStorage(deps, job, toStorageUnavailable('keep a result', cause))
}

/** Measures only if the price depends on the length. */
async function measureSeconds(
  deps: StepDeps,
  job: Job,
  [video]: readonly Video[],
): Promise<number | undefined> {
  if (job.work.meter === undefined || video === undefined) return undefined
  return deps.measureVideoSeconds(video).catch((cause: unknown) => {
    if (cause instanceof StorageUnavailable) throw cause
    deps.logger.warn({ job: job.view.id, err: cause }, 'Length of a result not measurable')
    return undefined
  })
}

/** Our own limit causes the delay, so this time does not count against the upstream. */
async function waitForDownloadSlot(deps: StepDeps, job: Job, cause: DownloadsBusy): Promise<NextStep> {
  const { retryMs } = cause
  const now = deps.now()
  // Random, so that waiting jobs do not all retry at the same time.
  const at = now + Math.round(retryMs * (0.5 + Math.random()))
  const { slotWaitMs = 0 } = job.work
  if (slotWaitMs > deps.deliveryLimits.storageRetryMs) return endAsNotStored(deps, job, cause.message)
  await deps.store.write(
    job,
    createTransition(job, { work: { slotWaitMs: slotWaitMs + at - now, fetchDueAt: at }, at, now }),
  )
  return { kind: 'wait', at }
}

/** Our storage causes the delay: nothing counts against the upstream, and the job waits for as long as the operator allows. */
async function waitForStorage(deps: StepDeps, job: Job, cause: StorageUnavailable): Promise<NextStep> {
  const now = deps.now()
  const earlierFault = job.work.storeFault
  const { id } = job.view
  const storeFault = {
    since: earlierFault?.since ?? now,
    tries: (earlierFault?.tries ?? 0) + 1,
    store: shorten(cause.message, storeFaultMaxCharacters),
  }
  if (storageDelayMs(job.work, now) > deps.deliveryLimits.storageRetryMs)
    return endAsNotStored(deps, job, cause.message)

  const isNewFault = earlierFault?.store !== storeFault.store
  deps.logger[isNewFault ? 'warn' : 'debug'](
    { job: id, err: cause },
    'Storage unavailable: the job waits with its result',
  )
  const at = now + Math.min(1000 * 2 ** Math.min(storeFault.tries - 1, 6), maxStorageRetryMs)
  const reason = isNewFault ? { reason: `storage: ${cause.message}` } : {}
  await deps.store.write(
    job,
    createTransition(job, { work: { storeFault, fetchDueAt: at }, ...reason, at, now }),
  )
  return { kind: 'wait', at }
}

/** The upstream's link does not work (yet). */
async function retryDownload(deps: StepDeps, claimedJob: Job, cause: unknown): Promise<NextStep> {
  const now = deps.now()
  const storageFaultMs = storageDelayMs(claimedJob.work, now)
  const misses = claimedJob.work.misses + 1
  const job = withWork(claimedJob, { misses, storeFault: undefined, storeFaultMs: storageFaultMs })
  deps.logger.warn({ job: job.view.id, misses, err: cause }, 'Download of a result failed')
  const endsAt = deliveryEndsAt(deps, job.work)
  if (now >= endsAt || isPermanentLinkFault(cause)) {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (storageFaultMs > 0)
      return endAsNotStored(deps, job, `the link expired while storage was unavailable: ${message}`)
    if ((job.work.lateMs ?? 0) > deps.deliveryLimits.graceMs)
      return endAsNotStored(deps, job, `the link expired while no worker was running: ${message}`)
    return endJob(
      deps,
      job,
      fault('result_unavailable', 'The finished video could not be downloaded from the upstream'),
    )
  }
  const at = Math.min(now + retryDelayMs(misses, deps.maxPollIntervalMs), endsAt)
  await deps.store.write(job, createTransition(job, { work: { fetchDueAt: at }, at, now }))
  return { kind: 'wait', at }
}

/** Ends a paid job because of a fault of this gateway: the client is refunded, and the operator gets the links. */
function endAsNotStored(deps: StepDeps, job: Job, message: string): Promise<NextStep> {
  const links = (job.work.results ?? []).map(({ url }) => url).join(' ')
  return endJob(deps, job, fault('result_not_stored', `${message}; the upstream's links: ${links}`))
}

/** Whether retrying the same link is useless. */
function isPermanentLinkFault(cause: unknown): boolean {
  return cause instanceof LinkUseless || (cause instanceof AddressRefused && !cause.isLookedUp)
}

function isLinkFault(cause: unknown): boolean {
  return cause instanceof LinkNotReady || cause instanceof AddressRefused || isPermanentLinkFault(cause)
}
