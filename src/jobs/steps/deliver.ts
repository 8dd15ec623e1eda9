import { fault } from '../../../providers/fault.ts'
import type { Video } from '../../../providers/provider.ts'
import { LinkNotReady, LinkUseless } from '../../media/results/download.ts'
import { DownloadsBusy } from '../../media/results/download-slots.ts'
import { StorageUnavailable, toStorageUnavailable } from '../../media/storage/storage-fault.ts'
import { AddressRefused } from '../../net/safe-fetch.ts'
import { shorten } from '../../text-limits.ts'
import type { Job } from '../job.ts'
import { nextTryMs } from '../poll-schedule.ts'
import { change, type Next, success } from '../store/transition.ts'
import { CancelAsked, keepLease } from './delivery-lease.ts'
import { endsAt, latenessMs, lostToStorage, wasTried, withWork } from './delivery-time.ts'
import type { Parts } from './deps.ts'
import { finish } from './finish.ts'

/** Of the message of a storage fault in the record. */
const storeFaultMaxCharacters = 500
/** The longest pause between two attempts while our storage fails. */
const longestStoragePauseMs = 60_000

/** Fetches the finished files. Only when they are in the store does the job succeed. */
export async function deliver(parts: Parts, claimed: Job): Promise<Next> {
  const deliveringAt = claimed.work.deliveringAt ?? parts.now()
  const job = withWork(claimed, { deliveringAt, lateMs: latenessMs(parts, claimed.work) })
  // A cancel that lost the race against the render: what is paid for and at hand is not thrown away.
  const cameTooLate = job.work.cancelSentAt !== undefined && !wasTried(job.work)
  if (job.cancelAsked && !cameTooLate) return finish(parts, job, fault('canceled', 'canceled'))

  const fetched = await fetchAll(parts, job, !cameTooLate)
  if (fetched.kind === 'stored') return succeed(parts, job, fetched)
  const { lateMs = 0 } = job.work
  return postpone(parts, withWork(job, { lateMs: lateMs + fetched.stoppedMs }), fetched.cause)
}

type Fetched =
  | { kind: 'stored'; videos: readonly Video[]; seconds: number | undefined }
  | { kind: 'failed'; cause: unknown; stoppedMs: number }

async function fetchAll(parts: Parts, job: Job, watchCancel: boolean): Promise<Fetched> {
  const untilMs = endsAt(parts, job.work)
  const lease = keepLease(parts, job, { watchCancel, untilMs })
  try {
    const options = { signal: lease.signal, isRepeated: job.work.misses > 0 }
    const source = { id: job.view.id, secret: job.hint }
    const videos = await parts.deliver(source, job.work.results ?? [], options)
    return { kind: 'stored', videos, seconds: await realSeconds(parts, job, videos) }
  } catch (cause) {
    return { kind: 'failed', cause, stoppedMs: lease.stoppedMs() }
  } finally {
    lease.end()
  }
}

async function succeed(parts: Parts, job: Job, { videos, seconds }: Fetched & { kind: 'stored' }) {
  const { id, model } = job.view
  const ended = withWork(job, { storeFault: undefined })
  if (await parts.store.write(job, success(ended, videos, parts.now(), seconds))) {
    parts.logger.info({ job: id, model, tookMs: parts.now() - job.view.createdAt }, 'job succeeded')
  }
  return { kind: 'end' } as const
}

function postpone(parts: Parts, job: Job, cause: unknown): Promise<Next> {
  if (cause instanceof CancelAsked) return finish(parts, job, fault('canceled', 'canceled'))
  if (cause instanceof DownloadsBusy) return waitForSlot(parts, job, cause)
  if (isLinkFault(cause)) return miss(parts, job, cause)
  // A bug of ours is no more the upstream's fault than a full disk is.
  return waitForStorage(parts, job, toStorageUnavailable('keep a result', cause))
}

/** Measured only where the price depends on it. */
async function realSeconds(parts: Parts, job: Job, [video]: readonly Video[]): Promise<number | undefined> {
  if (job.work.meter === undefined || video === undefined) return undefined
  return parts.secondsOf(video).catch((cause: unknown) => {
    if (cause instanceof StorageUnavailable) throw cause
    parts.logger.warn({ job: job.view.id, err: cause }, 'a result could not be measured')
    return undefined
  })
}

/** Our own limit is at fault, so that time is not the upstream's either. */
async function waitForSlot(parts: Parts, job: Job, cause: DownloadsBusy): Promise<Next> {
  const { retryMs } = cause
  const now = parts.now()
  // Spread, so that not all come at once.
  const at = now + Math.round(retryMs * (0.5 + Math.random()))
  const { slotWaitMs = 0 } = job.work
  if (slotWaitMs > parts.delivery.storageRetryMs) return giveUp(parts, job, cause.message)
  await parts.store.write(
    job,
    change(job, { work: { slotWaitMs: slotWaitMs + at - now, fetchDueAt: at }, at, now }),
  )
  return { kind: 'wait', at }
}

/** Our storage is at fault, so nothing counts against the upstream, and the job goes on for as long as the operator allows. */
async function waitForStorage(parts: Parts, job: Job, cause: StorageUnavailable): Promise<Next> {
  const now = parts.now()
  const known = job.work.storeFault
  const { id } = job.view
  const storeFault = {
    since: known?.since ?? now,
    tries: (known?.tries ?? 0) + 1,
    store: shorten(cause.message, storeFaultMaxCharacters),
  }
  if (lostToStorage(job.work, now) > parts.delivery.storageRetryMs) return giveUp(parts, job, cause.message)

  const isNews = known?.store !== storeFault.store
  parts.logger[isNews ? 'warn' : 'debug'](
    { job: id, err: cause },
    'Storage cannot take a result; the job waits',
  )
  const at = now + Math.min(1000 * 2 ** Math.min(storeFault.tries - 1, 6), longestStoragePauseMs)
  const reason = isNews ? { reason: `storage: ${cause.message}` } : {}
  await parts.store.write(job, change(job, { work: { storeFault, fetchDueAt: at }, ...reason, at, now }))
  return { kind: 'wait', at }
}

/** The upstream did not deliver. */
async function miss(parts: Parts, failed: Job, cause: unknown): Promise<Next> {
  const now = parts.now()
  const lostMs = lostToStorage(failed.work, now)
  const misses = failed.work.misses + 1
  const job = withWork(failed, { misses, storeFault: undefined, storeFaultMs: lostMs })
  parts.logger.warn({ job: job.view.id, misses, err: cause }, 'a result could not be fetched')
  const end = endsAt(parts, job.work)
  if (now >= end || isHopeless(cause)) {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (lostMs > 0) return giveUp(parts, job, `the link was lost while storage was at fault: ${message}`)
    if ((job.work.lateMs ?? 0) > parts.delivery.graceMs)
      return giveUp(parts, job, `the link was lost while no worker fetched it: ${message}`)
    return finish(
      parts,
      job,
      fault('result_unavailable', 'The finished video could not be fetched from the upstream'),
    )
  }
  const at = Math.min(now + nextTryMs(misses, parts.longestPollMs), end)
  await parts.store.write(job, change(job, { work: { fetchDueAt: at }, at, now }))
  return { kind: 'wait', at }
}

/** Ends a paid job by a fault of ours: the client gets its money back, the operator the links. */
function giveUp(parts: Parts, job: Job, message: string): Promise<Next> {
  const links = (job.work.results ?? []).map(({ url }) => url).join(' ')
  return finish(parts, job, fault('result_not_stored', `${message}; the upstream's links: ${links}`))
}

/** Whether asking the same link again can change nothing. */
function isHopeless(cause: unknown): boolean {
  return cause instanceof LinkUseless || (cause instanceof AddressRefused && !cause.isLookedUp)
}

function isLinkFault(cause: unknown): boolean {
  return cause instanceof LinkNotReady || cause instanceof AddressRefused || isHopeless(cause)
}
