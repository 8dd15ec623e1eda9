import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import type { Engine } from '../../jobs/engine.ts'
import { followJob } from '../../jobs/follow-job.ts'
import { isTerminal } from '../../jobs/job.ts'
import { RedisUnavailable } from '../../redis/redis-unavailable.ts'
import type { ApiDeps } from '../deps.ts'
import { buildStatusBody } from '../nanogpt/status-body.ts'
import { describeResponse } from '../openapi/operation.ts'
import { textSchema } from '../openapi/response-schemas.ts'
import { resolveBaseUrl } from '../requests/base-url.ts'
import { readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import type { RequestSchemas, RouteDefinition } from '../route-definition.ts'
import type { EventStreams } from './event-stream.ts'

type Deps = Pick<ApiDeps, 'engine' | 'config'> & { streams: EventStreams }

/** A job as server-sent events: how it is now, then every change, each as the body that `GET /video/status` would have answered. */
export const streamJobEvents: RouteDefinition<RequestSchemas, Deps> = {
  method: 'GET',
  path: '/api/jobs/:id/events',
  docs: {
    id: 'jobEvents',
    tag: 'Jobs',
    summary: 'Follow a job: its changes as server-sent events',
    description: 'The current state of the job, then each change, until the job has ended.',
    headers: {
      'last-event-id': {
        ...textSchema,
        description: 'The ID of the last event that an earlier stream delivered.',
      },
    },
    replies: {
      200: describeResponse('Each event is a status body.', {
        'text/event-stream': { type: 'object', properties: { id: textSchema, data: textSchema } },
      }),
      204: { description: 'The job has ended and all of its events were delivered.', type: 'null' },
    },
    errorStatuses: [403, 404],
  },
  quiet: true,
  // A HEAD would be held open like any other listener, for nothing.
  exposeHeadRoute: false,
  respond: async ({ engine, config, streams }, request, reply) => {
    const id = readJobId(request.params)
    await requireOwnJob(engine, request, id)
    const lastVersion = readLastEventId(request)
    if (lastVersion !== undefined && (await isTerminalVersion(engine, id, lastVersion)))
      return reply.code(204).send()

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
  },
}

/** Without a 204, a browser would reconnect for ever. */
async function isTerminalVersion(engine: Engine, id: string, version: number): Promise<boolean> {
  const [change] = await engine.readHistoryAfter(id, version - 1)
  return change !== undefined && change.version === version && isTerminal(change.entry.state)
}

/** The last event that the listener has got; anything that is no event of ours counts as none. */
function readLastEventId({ headers, query }: Pick<FastifyRequest, 'headers' | 'query'>): number | undefined {
  const lastEventId = [headers['last-event-id']].flat()[0] ?? text(query, 'lastEventId') ?? ''
  return /^[1-9]\d{0,8}$/.test(lastEventId) ? Number(lastEventId) : undefined
}
