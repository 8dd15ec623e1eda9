import { overdueMs } from '../job.ts'
import { delivery } from '../queues.ts'
import { change, type Next } from '../store/transition.ts'
import { deliver } from './deliver.ts'
import { type Parts, partsFor } from './deps.ts'
import { watch } from './poll.ts'
import { reconcile } from './reconcile.ts'
import { submit } from './submit.ts'

/** One step of one job: takes the record, does one thing, writes what came of it and says when to come again. */
export async function step(common: Parts, id: string, queue: string): Promise<Next | { kind: 'absent' }> {
  const now = common.now()
  const job = await common.store.claim(id, now + 2 * common.timeoutMs + overdueMs)
  if (job === 'ended') return { kind: 'end' }
  if (job === 'absent') return { kind: 'absent' }
  if (job === 'early') return { kind: 'wait', at: await common.store.earliestStep(id) }

  const parts = partsFor(common, job.view)
  const { state } = job.view
  const belongs = state === 'delivering' ? delivery : job.work.route[0]
  if (belongs !== undefined && belongs !== queue) {
    await parts.store.write(job, change(job, { now }))
    return { kind: 'move', queue: belongs }
  }
  if (state === 'pending') return submit(parts, job)
  if (state === 'submitting') return reconcile(parts, job)
  if (state === 'delivering') return deliver(parts, job)
  return watch(parts, job)
}
