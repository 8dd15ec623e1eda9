import { fault } from '../../providers/fault.ts'
import type { Video } from '../../providers/provider.ts'
import { LinkUseless } from '../media/download.ts'
import { AddressRefused } from '../media/guard.ts'
import { change, type Next, success } from './change.ts'
import type { Job } from './job.ts'
import { nextTryMs } from './pace.ts'
import type { Parts } from './parts.ts'
import { finish } from './submit.ts'

/** A fresh link may need a while before it answers; after this many tries it is taken for broken. */
const missesBeforeGivingUp = 20

/** Fetches the finished files. Only when they are in the store does the job succeed. */
export async function deliver(parts: Parts, job: Job): Promise<Next> {
  const { id, model } = job.view
  try {
    const videos = await parts.deliver({ id, secret: job.hint }, job.work.results ?? [])
    const seconds = await realSeconds(parts, job, videos)
    if (await parts.store.write(job, success(job, videos, parts.now(), seconds))) {
      parts.logger.info({ job: id, model, tookMs: parts.now() - job.view.createdAt }, 'job succeeded')
    }
    return { kind: 'end' }
  } catch (cause) {
    const misses = job.work.misses + 1
    parts.logger.warn({ job: id, misses, err: cause }, 'a result could not be fetched')
    if (misses >= missesBeforeGivingUp || isHopeless(cause)) {
      return finish(
        parts,
        job,
        fault('result_unavailable', 'The finished video could not be fetched from the upstream'),
      )
    }
    const at = parts.now() + nextTryMs(misses, parts.longestPollMs)
    await parts.store.write(job, change(job, { work: { misses }, at, now: parts.now() }))
    return { kind: 'wait', at }
  }
}

/** Measured only where the price depends on it. */
async function realSeconds(parts: Parts, job: Job, [video]: readonly Video[]): Promise<number | undefined> {
  if (job.work.meter === undefined || video === undefined) return undefined
  return parts.secondsOf(video).catch((cause: unknown) => {
    parts.logger.warn({ job: job.view.id, err: cause }, 'a result could not be measured')
    return undefined
  })
}

/** Whether asking the same link again can change nothing. */
function isHopeless(cause: unknown): boolean {
  return cause instanceof LinkUseless || cause instanceof AddressRefused
}
