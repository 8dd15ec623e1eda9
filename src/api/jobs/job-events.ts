import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { followJob } from '../../jobs/follow-job.ts'
import { isTerminal } from '../../jobs/job.ts'
import { RedisUnavailable } from '../../redis/redis-unavailable.ts'
import type { ApiDeps } from '../deps.ts'
import { buildStatusBody } from '../nanogpt/status-body.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { createEventStreams } from './event-stream.ts'

type Deps = Pick<ApiDeps, 'engine' | 'accounts' | 'config'>

/** A job as server-sent events: how it is now, then every change, each as the body that `GET /video/status` would have answered. */
export function registerJobEventsRoute(app: FastifyInstance, { engine, accounts, config }: Deps): void {
  const streams = createEventStreams(app)

  async function streamEvents(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const id = readJobId(request.params)
    await requireOwnJob(engine, request, id)
    const lastVersion = readLastEventId(request)
    if (lastVersion !== undefined && (await isTerminalVersion(id, lastVersion))) return reply.code(204).send()

    const baseUrl = resolveBaseUrl(request, config.publicUrl)
    let stopFollowing = () => {}
    let isClosed = false
    const stream = streams.open(reply, () => {
      isClosed = true
      stopFollowing()
    })
    stopFollowing = await followJob(engine, id, {
      after: lastVersion,
      onChange: (view) =>
        stream.send(view.version, buildStatusBody(view, { dialect: 'current', baseUrl, now: Date.now() })),
      onEnd: stream.end,
    }).catch((cause: unknown) => {
      const message = 'Job events ended early'
      if (cause instanceof RedisUnavailable) request.log.warn({ job: id, reason: cause.message }, message)
      else request.log.error({ job: id, err: cause }, message)
      stream.end()
      return stopFollowing
    })
    if (isClosed) stopFollowing()
    return reply
  }

  /** Without a 204, a browser would reconnect for ever. */
  async function isTerminalVersion(id: string, version: number): Promise<boolean> {
    const [change] = await engine.readHistoryAfter(id, version - 1)
    return change !== undefined && change.version === version && isTerminal(change.entry.state)
  }

  // A HEAD would be held open like any other listener, for nothing.
  const route = {
    config: { quiet: true },
    onRequest: createAuthenticationHook(accounts),
    exposeHeadRoute: false,
  }
  app.get('/api/jobs/:id/events', route, streamEvents)
}

/** The last event that the listener has got; anything that is no event of ours counts as none. */
function readLastEventId({ headers, query }: FastifyRequest): number | undefined {
  const lastEventId = [headers['last-event-id']].flat()[0] ?? text(query, 'lastEventId') ?? ''
  return /^[1-9]\d{0,8}$/.test(lastEventId) ? Number(lastEventId) : undefined
}
