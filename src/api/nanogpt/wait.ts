import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import type { Engine } from '../../engine/engine.ts'
import { isTerminal, type View } from '../../engine/job.ts'

const longestSeconds = 60

/** `?wait=30`: the job after its next change, or as it is when the time is over, the client gone or the server closing. */
export async function afterWait(engine: Engine, request: FastifyRequest, view: View): Promise<View> {
  const seconds = secondsToWait(text(request.query, 'wait'))
  if (seconds === 0 || isTerminal(view.state)) return view
  const { promise, resolve } = Promise.withResolvers<View | undefined>()
  const giveUp = () => resolve(undefined)
  const timer = setTimeout(giveUp, seconds * 1000)
  const signals = [request.signal, request.server.closing]
  for (const signal of signals) {
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp)
  }
  const look = async () => {
    const found = await engine.status(view.id)
    if (found === undefined || found.view.version > view.version) resolve(found?.view)
  }
  const lookOrGiveUp = () => void look().catch(giveUp)
  const watching = engine.watch(view.id, {
    changed: (next) => next.version > view.version && resolve(next),
    missed: lookOrGiveUp,
  })
  watching.then(lookOrGiveUp, giveUp)
  try {
    const changed = await promise
    return changed ?? (await engine.status(view.id))?.view ?? view
  } finally {
    clearTimeout(timer)
    for (const signal of signals) signal.removeEventListener('abort', giveUp)
    watching.then(
      (stop) => stop(),
      () => undefined,
    )
  }
}

function secondsToWait(asked: string | undefined): number {
  const seconds = Number(asked ?? 0)
  return Number.isNaN(seconds) || seconds <= 0 ? 0 : Math.min(Math.max(seconds, 1), longestSeconds)
}
