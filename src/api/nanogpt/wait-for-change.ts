import type { FastifyRequest } from 'fastify'
import type { Engine } from '../../jobs/engine.ts'
import { isTerminal, type JobView } from '../../jobs/job.ts'
import { defineParameter } from '../requests/query.ts'

const maxWaitSeconds = 60

/** `?wait=30`. Rejects nothing: what is not a number above 0 means no wait. */
export const waitParameter = defineParameter(
  {
    type: 'number',
    minimum: 0,
    maximum: maxWaitSeconds,
    description: 'Seconds to wait for a change.',
  },
  (valueText) => {
    const seconds = Number(valueText ?? 0)
    return Number.isNaN(seconds) || seconds <= 0 ? 0 : Math.min(Math.max(seconds, 1), maxWaitSeconds)
  },
)

/** The job after its next change; the current job if the time is over, the client disconnected or the server is closing. */
export async function waitForChange(
  engine: Engine,
  request: FastifyRequest,
  view: JobView,
  waitSeconds: number,
): Promise<JobView> {
  if (waitSeconds === 0 || isTerminal(view.state)) return view
  const { promise, resolve } = Promise.withResolvers<JobView | undefined>()
  const giveUp = () => resolve(undefined)
  const timer = setTimeout(giveUp, waitSeconds * 1000)
  const signals = [request.signal, request.server.closing]
  for (const signal of signals) {
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp)
  }
  const checkNow = async () => {
    const current = await engine.readStatus(view.id)
    if (current === undefined || current.view.version > view.version) resolve(current?.view)
  }
  const checkOrGiveUp = () => void checkNow().catch(giveUp)
  const watch = engine.watch(view.id, {
    onChange: (changedView) => changedView.version > view.version && resolve(changedView),
    onMissed: checkOrGiveUp,
  })
  watch.then(checkOrGiveUp, giveUp)
  try {
    const changedView = await promise
    return changedView ?? (await engine.readStatus(view.id))?.view ?? view
  } finally {
    clearTimeout(timer)
    for (const signal of signals) signal.removeEventListener('abort', giveUp)
    watch.then(
      (stop) => stop(),
      () => undefined,
    )
  }
}
