import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { text } from '../../providers/reader.ts'
import { Unavailable } from '../engine/engine.ts'
import { follow } from '../engine/follow.ts'
import { isTerminal } from '../engine/job.ts'
import { identify } from './caller.ts'
import { createStreams } from './event-stream.ts'
import { readJobId } from './nanogpt/job-id.ts'
import { addressOf } from './nanogpt/links.ts'
import { ownJob } from './nanogpt/own-job.ts'
import { statusBody } from './nanogpt/status.ts'
import type { AppParts } from './parts.ts'

type Parts = Pick<AppParts, 'engine' | 'accounts' | 'config'>

/** A job as server-sent events: how it is now, then every change, each as the body that `GET /video/status` would have answered. */
export function jobEvents(app: FastifyInstance, { engine, accounts, config }: Parts): void {
  const streams = createStreams(app)

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const id = readJobId(request.params)
    await ownJob(engine, request, id)
    const after = lastSeen(request)
    if (after !== undefined && (await hasEndedAt(id, after))) return reply.code(204).send()

    const address = addressOf(request, config.publicUrl)
    let stop = () => {}
    let gone = false
    const stream = streams.open(reply, () => {
      gone = true
      stop()
    })
    stop = await follow(engine, id, {
      after,
      tell: (view) =>
        stream.send(view.version, statusBody(view, { dialect: 'current', address, now: Date.now() })),
      end: stream.end,
    }).catch((cause: unknown) => {
      const why = cause instanceof Unavailable ? { reason: cause.message } : { err: cause }
      request.log.warn({ job: id, ...why }, 'a job could not be followed')
      stream.end()
      return stop
    })
    if (gone) stop()
    return reply
  }

  /** A browser would come back for ever, were it not told that there is nothing more. */
  async function hasEndedAt(id: string, version: number): Promise<boolean> {
    const [last] = await engine.since(id, version - 1)
    return last !== undefined && last.version === version && isTerminal(last.event.state)
  }

  // A HEAD would be held open like any other listener, for nothing.
  const route = { config: { quiet: true }, onRequest: identify(accounts), exposeHeadRoute: false }
  app.get('/api/jobs/:id/events', route, answer)
}

/** The last event that the listener has got; anything that is no event of ours counts as none. */
function lastSeen({ headers, query }: FastifyRequest): number | undefined {
  const told = [headers['last-event-id']].flat()[0] ?? text(query, 'lastEventId') ?? ''
  return /^[1-9]\d{0,8}$/.test(told) ? Number(told) : undefined
}
